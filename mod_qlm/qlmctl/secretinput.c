/* Reading secrets from standard input. */
#include "qlmctl/secretinput.h"

#include "base/text.h"

#include <apr_strings.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define BUFFER_BYTES (QLM_SECRET_MAX_BYTES + 2)
#define CANCEL       '\3' /* Ctrl-C */

/* Byte by byte, because what follows is another secret's line, or for whoever reads standard input
 * after us. @return 1, or 0 if there is no line at all or it is too long */
static int read_line(char line[BUFFER_BYTES])
{
    int length = 0;
    int is_any = 0;

    while (length < BUFFER_BYTES) {
        ssize_t got = read(STDIN_FILENO, &line[length], 1);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        is_any |= got > 0;
        if (got <= 0 || line[length] == '\n' || line[length] == CANCEL) {
            break;
        }
        length++;
    }
    if (!is_any || length >= BUFFER_BYTES || line[length] == CANCEL) {
        return 0;
    }
    if (length > 0 && line[length - 1] == '\r') {
        length--;
    }
    /* a NUL byte would hide what follows it: make it a control character */
    for (char *nul; (nul = memchr(line, '\0', (size_t)length)) != NULL;) {
        *nul = '\1';
    }
    line[length] = '\0';
    return 1;
}

/* The echo is off before the question is seen, whoever answers; OpenSSL's own prompt and getpass()
 * do this in the other order, or leave the terminal silent when interrupted. So the keys that
 * interrupt are off, too, and Ctrl-C ends the line instead. */
static int ask(char line[BUFFER_BYTES], const char *what)
{
    struct termios saved, silent;
    int is_read;

    if (tcgetattr(STDIN_FILENO, &saved) != 0) {
        return 0;
    }
    silent = saved;
    silent.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ISIG);
    silent.c_lflag |= ICANON;
    silent.c_cc[VEOL] = CANCEL;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    fprintf(stderr, "%s: ", what);
    is_read = read_line(line);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved);
    fputc('\n', stderr);
    return is_read;
}

static apr_status_t wipe(void *data)
{
    OPENSSL_cleanse(data, BUFFER_BYTES);
    return APR_SUCCESS;
}

qlm_error_t *qlm_secretinput_read(const char **secret, qlm_tool_t *tool, const char *what)
{
    char *line = apr_pcalloc(tool->pool, BUFFER_BYTES);
    int is_read;

    apr_pool_cleanup_register(tool->pool, line, wipe, apr_pool_cleanup_null);
    is_read = isatty(STDIN_FILENO) ? ask(line, what) : read_line(line);
    if (!is_read || strlen(line) > QLM_SECRET_MAX_BYTES) {
        return qlm_tool_failure(tool,
                                "no usable %s on standard input; give it as one line of at most %d "
                                "bytes",
                                what, QLM_SECRET_MAX_BYTES);
    }
    if (!*line) {
        return qlm_tool_failure(tool, "the %s on standard input is empty; nothing was changed",
                                what);
    }
    if (qlm_text_has_control(line) || !qlm_text_is_utf8(line)) {
        return qlm_tool_failure(
            tool, "the %s holds control characters or is not UTF-8; give plain text", what);
    }
    *secret = line;
    return NULL;
}
