/* Writes the TLS secrets of a program that has no key log of its own.
 *
 * Built and preloaded by lab.py: every SSL_CTX that the program makes gets a key log callback, which appends to the
 * file that SSLKEYLOGFILE names.  Needs no headers of OpenSSL: its functions are looked up in the running program.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>
#include <string.h>

typedef void (*keylog_callback)(const void *ssl, const char *line);

static int keylog_file = -1;

/* Opened at the start, as nginx empties the environment later. */
__attribute__((constructor)) static void open_keylog(void)
{
    const char *path = getenv("SSLKEYLOGFILE");
    if (path != NULL)
        keylog_file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void append_line(const void *ssl, const char *line)
{
    struct iovec parts[2] = {{(void *)line, strlen(line)}, {"\n", 1}};
    (void)ssl;
    if (keylog_file >= 0 && writev(keylog_file, parts, 2) < 0)
        abort(); /* a capture with half a key log would be worse than none */
}

void *SSL_CTX_new(const void *method)
{
    void *(*original)(const void *) = dlsym(RTLD_NEXT, "SSL_CTX_new");
    void (*set_callback)(void *, keylog_callback) = dlsym(RTLD_NEXT, "SSL_CTX_set_keylog_callback");
    void *context = original(method);
    if (context != NULL)
        set_callback(context, append_line);
    return context;
}
