/* Owners and rights of an SQLite database's files. */
#include "qlmctl/rights.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <apr_user.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The files of one database: itself, SQLite's own, and our writers' lock. */
static const char *const suffixes[] = {"", "-wal", "-shm", "-journal", "-writer"};
#define SUFFIXES (sizeof(suffixes) / sizeof(suffixes[0]))

/* Folders that belong to the system, besides every folder directly below the root. */
static const char *const system_folders[] = {"/var/lib",   "/var/tmp", "/var/www", "/var/cache",
                                             "/var/local", "/var/opt", "/var/run", "/usr/local",
                                             "/usr/share", NULL};

const char *qlm_rights_folder(const qlm_tool_t *tool, const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash) {
        return ".";
    }
    return slash == path ? "/" : apr_pstrmemdup(tool->pool, path, (apr_size_t)(slash - path));
}

static qlm_error_t *failed(qlm_tool_t *tool, const char *what, const char *path, const char *remedy)
{
    return qlm_tool_failure(tool, "%s %s: %s; %s", what, path, strerror(errno), remedy);
}

qlm_error_t *qlm_rights_make_folder(int *made, qlm_tool_t *tool, const char *path)
{
    const char *folder = qlm_rights_folder(tool, path);
    struct stat found;
    apr_status_t status;

    *made = 0;
    if (stat(folder, &found) == 0 && S_ISDIR(found.st_mode)) {
        return NULL;
    }
    /* parents stay open to pass through; only the last folder is closed to others */
    umask(022);
    status = apr_dir_make_recursive(folder, APR_OS_DEFAULT, tool->pool);
    umask(027);
    if (status != APR_SUCCESS || chmod(folder, 0750) != 0) {
        errno = status ? APR_TO_OS_ERROR(status) : errno;
        return failed(tool, "cannot make the folder", folder, "make it, or run this as root");
    }
    *made = 1;
    return NULL;
}

/* ---- giving -----------------------------------------------------------------------------------
 */

static int is_system_folder(const char *folder, const struct stat *found)
{
    if (found->st_mode & S_ISVTX || strchr(folder + 1, '/') == NULL) {
        return 1;
    }
    for (const char *const *name = system_folders; *name; name++) {
        if (strcmp(folder, *name) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Through a descriptor, so that what was looked at is what is given away: the folder may already be
 * that user's, who could put a link there that leads elsewhere. */
static qlm_error_t *give(qlm_tool_t *tool, const char *path, int is_folder, apr_uid_t uid,
                         apr_gid_t gid)
{
    int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | (is_folder ? O_DIRECTORY : 0);
    int descriptor = open(path, flags);
    struct stat found;
    qlm_error_t *error = NULL;

    if (descriptor < 0) {
        return errno == ENOENT ? NULL
                               : failed(tool, "cannot open", path,
                                        "it must be a file or folder, not a link; run as root");
    }
    if (fstat(descriptor, &found) != 0 ||
        (!is_folder && (!S_ISREG(found.st_mode) || found.st_nlink != 1))) {
        error = qlm_tool_failure(tool, "%s is not a plain file of one name; move it away", path);
    }
    else if ((found.st_uid != uid || found.st_gid != gid) && fchown(descriptor, uid, gid) != 0) {
        error = failed(tool, "cannot change the owner of", path, "run this as root");
    }
    close(descriptor);
    return error;
}

static qlm_error_t *give_folder(qlm_tool_t *tool, const char *folder, apr_uid_t uid, apr_gid_t gid)
{
    char *real = realpath(folder, NULL);
    struct stat found;
    const char *path = real ? apr_pstrdup(tool->pool, real) : NULL;

    free(real);
    if (!path || stat(path, &found) != 0) {
        return failed(tool, "cannot find the folder", folder, "make it first");
    }
    return is_system_folder(path, &found) ? NULL : give(tool, path, 1, uid, gid);
}

static qlm_error_t *find_user(apr_uid_t *uid, apr_gid_t *gid, qlm_tool_t *tool, const char *user)
{
    return apr_uid_get(uid, gid, user, tool->pool) == APR_SUCCESS
               ? NULL
               : qlm_tool_failure(tool,
                                  "there is no user %s; name the one httpd's processes run as "
                                  "(www-data on Debian)",
                                  user);
}

qlm_error_t *qlm_rights_give(qlm_tool_t *tool, const char *database, const char *user)
{
    apr_uid_t uid;
    apr_gid_t gid;

    QLM_TRY(find_user(&uid, &gid, tool, user));
    for (size_t i = 0; i < SUFFIXES; i++) {
        QLM_TRY(give(tool, apr_pstrcat(tool->pool, database, suffixes[i], NULL), 0, uid, gid));
    }
    return give_folder(tool, qlm_rights_folder(tool, database), uid, gid);
}

/* ---- checking ---------------------------------------------------------------------------------
 */

/* What a look found, as bits: the answer of a child process is one small number. */
enum { FOLDER_CLOSED = 1, FOLDER_READ_ONLY = 2, FILE_CLOSED = 4, NOT_THAT_USER = 8 };

static int look(const char *folder, const char *const *files)
{
    int found = 0;

    if (faccessat(AT_FDCWD, folder, X_OK, AT_EACCESS) != 0) {
        return FOLDER_CLOSED;
    }
    if (faccessat(AT_FDCWD, folder, W_OK, AT_EACCESS) != 0) {
        found |= FOLDER_READ_ONLY;
    }
    for (; *files; files++) {
        if (faccessat(AT_FDCWD, *files, R_OK | W_OK, AT_EACCESS) != 0 && errno != ENOENT) {
            found |= FILE_CLOSED;
        }
    }
    return found;
}

/* In a child that has become the user, groups and all: so the system itself answers, whatever
 * decides there (parents, access lists). */
static int look_as(const char *user, apr_uid_t uid, apr_gid_t gid, const char *folder,
                   const char *const *files)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        if (initgroups(user, gid) != 0 || setgid(gid) != 0 || setuid(uid) != 0) {
            _exit(NOT_THAT_USER);
        }
        _exit(look(folder, files));
    }
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : NOT_THAT_USER;
}

static void add(apr_array_header_t *problems, const char *format, const char *user,
                const char *path)
{
    APR_ARRAY_PUSH(problems, const char *) = apr_psprintf(problems->pool, format, user, path, user);
}

static void tell(apr_array_header_t *problems, int found, const char *user, const char *folder,
                 const char *database)
{
    if (found & FOLDER_CLOSED) {
        add(problems,
            "user %s cannot enter the folder %s; let %s pass through it and its parents (chmod "
            "o+x), or put the database elsewhere",
            user, folder);
    }
    if (found & FOLDER_READ_ONLY) {
        add(problems,
            "user %s cannot make files in the folder %s, and SQLite needs to; put the database "
            "into a folder of its own, then qlmctl init --user %s",
            user, folder);
    }
    if (found & FILE_CLOSED) {
        add(problems,
            "user %s cannot read and write %s and the files beside it; run qlmctl init --user %s "
            "as root",
            user, database);
    }
    if (found & NOT_THAT_USER) {
        add(problems,
            "the rights of user %s on %s were not checked; run this as root, or as user %s", user,
            database);
    }
}

/* Who uses the database: who was named, else its owner. */
static qlm_error_t *database_user(const char **name, apr_uid_t *uid, apr_gid_t *gid,
                                  qlm_tool_t *tool, const char *database, const char *user)
{
    struct stat found;
    char *owner;

    if (user) {
        *name = user;
        return find_user(uid, gid, tool, user);
    }
    if (stat(database, &found) != 0) {
        return failed(tool, "cannot look at", database, "check the path and its folders");
    }
    if (apr_uid_name_get(&owner, found.st_uid, tool->pool) != APR_SUCCESS) {
        owner = apr_psprintf(tool->pool, "%lu", (unsigned long)found.st_uid);
    }
    *name = owner;
    *uid = found.st_uid;
    *gid = found.st_gid;
    return NULL;
}

qlm_error_t *qlm_rights_check(apr_array_header_t **problems, qlm_tool_t *tool, const char *database,
                              const char *user)
{
    const char *files[SUFFIXES + 1] = {NULL};
    const char *folder = qlm_rights_folder(tool, database);
    const char *name = NULL;
    apr_uid_t uid;
    apr_gid_t gid;
    int found;

    *problems = apr_array_make(tool->pool, 4, sizeof(const char *));
    QLM_TRY(database_user(&name, &uid, &gid, tool, database, user));
    for (size_t i = 0; i < SUFFIXES; i++) {
        files[i] = apr_pstrcat(tool->pool, database, suffixes[i], NULL);
    }
    if (uid == geteuid()) {
        found = look(folder, files);
    }
    else {
        found = look_as(name, uid, gid, folder, files);
    }
    tell(*problems, found, name, folder, database);
    return NULL;
}
