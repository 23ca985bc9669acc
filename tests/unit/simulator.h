/* Simulated servers (tests/simulators) as a test starts them, asks them and ends them. */
#ifndef QLM_TESTS_SIMULATOR_H
#define QLM_TESTS_SIMULATOR_H

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <check.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

typedef struct simulator_t {
    apr_proc_t process;
    int port;
    const char *certificate;
} simulator_t;

static inline const char *simulator_python(void)
{
    const char *python = getenv("PYTHON");

    return python && *python ? python : "/usr/bin/python3";
}

/* Start Python with `arguments` (NULL-terminated), with pipes to it. Asserts nothing: it also
 * serves outside of tests. */
static inline apr_status_t simulator_run(apr_proc_t *process, const char *const *arguments,
                                         apr_pool_t *pool)
{
    const char *words[32] = {simulator_python()};
    apr_procattr_t *attributes;
    apr_status_t status = apr_procattr_create(&attributes, pool);

    for (int i = 0; arguments[i] && i < 30; i++) {
        words[i + 1] = arguments[i];
    }
    if (status == APR_SUCCESS) {
        status = apr_procattr_io_set(attributes, APR_FULL_BLOCK, APR_FULL_BLOCK, APR_NO_PIPE);
    }
    if (status == APR_SUCCESS) {
        status = apr_procattr_cmdtype_set(attributes, APR_PROGRAM_PATH);
    }
    return status ? status : apr_proc_create(process, words[0], words, NULL, attributes, pool);
}

/* Run Python to its end. Returns what it wrote; NULL if it failed. */
static inline const char *simulator_output(const char *const *arguments, apr_pool_t *pool)
{
    apr_proc_t process;
    apr_exit_why_e why;
    const char *output = "";
    char block[65536];
    int status;

    if (simulator_run(&process, arguments, pool) != APR_SUCCESS) {
        return NULL;
    }
    apr_file_close(process.in);
    for (;;) {
        apr_size_t length = sizeof(block) - 1;

        if (apr_file_read(process.out, block, &length) != APR_SUCCESS) {
            break;
        }
        block[length] = '\0';
        output = apr_pstrcat(pool, output, block, NULL);
    }
    apr_proc_wait(&process, &status, &why, APR_WAIT);
    return why == APR_PROC_EXIT && status == 0 ? output : NULL;
}

/* Start a simulator and wait until it is ready. `arguments` begins with its path. */
static inline void simulator_start(simulator_t *simulator, const char *const *arguments,
                                   apr_pool_t *pool)
{
    char line[1024];

    memset(simulator, 0, sizeof(*simulator));
    ck_assert_int_eq(simulator_run(&simulator->process, arguments, pool), APR_SUCCESS);
    while (apr_file_gets(line, sizeof(line), simulator->process.out) == APR_SUCCESS) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "port ", 5) == 0) {
            simulator->port = (int)apr_atoi64(line + 5);
        }
        else if (strncmp(line, "certificate ", 12) == 0) {
            simulator->certificate = apr_pstrdup(pool, line + 12);
        }
        else if (strcmp(line, "ready") == 0) {
            return;
        }
    }
    ck_abort_msg("%s does not start", arguments[0]);
}

static inline void simulator_stop(simulator_t *simulator)
{
    apr_exit_why_e why;
    int status;

    apr_proc_kill(&simulator->process, SIGKILL);
    apr_proc_wait(&simulator->process, &status, &why, APR_WAIT);
    apr_file_close(simulator->process.in);
    apr_file_close(simulator->process.out);
}

/* A new folder for the files of a test. */
static inline const char *simulator_folder(apr_pool_t *pool)
{
    const char *temporary;
    char *folder;

    ck_assert_int_eq(apr_temp_dir_get(&temporary, pool), APR_SUCCESS);
    folder = apr_pstrcat(pool, temporary, "/check-XXXXXX", NULL);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    return folder;
}

/* Remove the folder and the files in it. */
static inline void simulator_remove_folder(const char *folder, apr_pool_t *pool)
{
    apr_finfo_t info;
    apr_dir_t *directory;

    ck_assert_int_eq(apr_dir_open(&directory, folder, pool), APR_SUCCESS);
    while (apr_dir_read(&info, APR_FINFO_NAME, directory) == APR_SUCCESS) {
        if (strcmp(info.name, ".") != 0 && strcmp(info.name, "..") != 0) {
            apr_file_remove(apr_pstrcat(pool, folder, "/", info.name, NULL), pool);
        }
    }
    apr_dir_close(directory);
    apr_dir_remove(folder, pool);
}

static inline void simulator_write(const char *path, const char *text, apr_pool_t *pool)
{
    apr_file_t *file;

    ck_assert_int_eq(
        apr_file_open(&file, path, APR_WRITE | APR_CREATE | APR_TRUNCATE, APR_OS_DEFAULT, pool),
        APR_SUCCESS);
    ck_assert_int_eq(apr_file_write_full(file, text, strlen(text), NULL), APR_SUCCESS);
    ck_assert_int_eq(apr_file_close(file), APR_SUCCESS);
}

/* What Python's e-mail library reads in `path`; `raw` is "--raw" or NULL (readmail.py). The caller
 * owns it. */
static inline json_t *simulator_read_mail(const char *raw, const char *path, apr_pool_t *pool)
{
    const char *const arguments[] = {QLM_SIMULATORS "/readmail.py", raw ? raw : path,
                                     raw ? path : NULL, NULL};
    const char *said = simulator_output(arguments, pool);
    json_t *read;

    ck_assert_msg(said != NULL, "readmail.py failed");
    read = json_loads(said, 0, NULL);
    ck_assert_ptr_nonnull(read);
    return read;
}

/* The first value of the header `name`, decoded; "" if there is none. */
static inline const char *simulator_header(const json_t *mail, const char *name)
{
    const json_t *values = json_object_get(json_object_get(mail, "headers"), name);
    const char *value = json_string_value(json_array_get(values, 0));

    return value ? value : "";
}

#endif
