/* Plays the seeds of a fuzz target, so that every `make check` runs them without a fuzzer:
 * the files named on the command line, or all of $srcdir/fuzz/seeds/<target>/. */
#include "fuzz/fuzz.h"

#include <dirent.h>
#include <libgen.h>
#include <sys/stat.h>

#define SEED_MAX_BYTES (1024 * 1024)

/* Play one file. @return 1, or 0 if it cannot be read */
static int play_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    struct stat status;
    size_t size;
    int is_read = 0;

    if (!file) {
        return 0;
    }
    if (fstat(fileno(file), &status) == 0 && status.st_size <= SEED_MAX_BYTES) {
        size = (size_t)status.st_size;
        data = malloc(size ? size : 1);
        if (data && fread(data, 1, size, file) == size) {
            is_read = 1;
            LLVMFuzzerTestOneInput(data, size);
        }
    }
    free(data);
    fclose(file);
    return is_read;
}

/* Play every file of a folder. @return how many, or -1 if one cannot be read */
static int play_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    int played = 0;

    if (!dir) {
        return -1;
    }
    while (played >= 0 && (entry = readdir(dir)) != NULL) {
        char *path = NULL;

        if (entry->d_name[0] == '.') {
            continue;
        }
        played = asprintf(&path, "%s/%s", folder, entry->d_name) > 0 && play_file(path) ? played + 1
                                                                                        : -1;
        free(path);
    }
    closedir(dir);
    return played;
}

int main(int argc, char **argv)
{
    const char *source = getenv("srcdir");
    const char *name = basename(argv[0]);
    char folder[4096];
    int played = 0;

    if (argc > 1) {
        for (int i = 1; i < argc && played >= 0; i++) {
            played = play_file(argv[i]) ? played + 1 : -1;
        }
    }
    else {
        if (strncmp(name, "fuzz_", 5) == 0) {
            name += 5;
        }
        snprintf(folder, sizeof folder, "%s/fuzz/seeds/%s", source ? source : ".", name);
        played = play_folder(folder);
    }
    printf("%s: %d seeds\n", basename(argv[0]), played);
    return played > 0 ? 0 : 1;
}
