/*
 * launch PROGRAM [ARGUMENT]...
 *
 * Connects the service manager's notification socket, hands it to PROGRAM as a passed descriptor named
 * "notify", and becomes PROGRAM. Node cannot open a Unix datagram socket, but it can write to one; and a
 * write from the main process itself is what NotifyAccess=main asks for, which no helper process could do.
 * This is what systemd >= 253 does for OpenFile=/run/systemd/notify:notify, in the same words
 * (LISTEN_FDS, LISTEN_FDNAMES), for the systemd 252 of Debian 12 as well.
 *
 * Without $NOTIFY_SOCKET it only becomes PROGRAM.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The first descriptor that is passed: sd_listen_fds(3). */
#define FIRST_FD 3

static int fail(const char *what)
{
	fprintf(stderr, "<3>blockmill: %s: %s\n", what, strerror(errno));
	return 71; /* EX_OSERR */
}

static int connect_to(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = strlen(name);

	if (length < 2 || length >= sizeof address.sun_path || (name[0] != '/' && name[0] != '@')) {
		errno = EINVAL;
		return -1;
	}
	memcpy(address.sun_path, name, length);
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	/* Non-blocking: a manager that does not read must not stop the main process. */
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&address, offsetof(struct sockaddr_un, sun_path) + length) < 0)
		return -1;
	return fd;
}

int main(int argc, char **argv)
{
	const char *name = getenv("NOTIFY_SOCKET");
	char pid[24];

	if (argc < 2) {
		fputs("usage: launch PROGRAM [ARGUMENT]...\n", stderr);
		return 64; /* EX_USAGE */
	}
	if (name != NULL && getenv("LISTEN_FDS") == NULL) {
		int fd = connect_to(name);
		if (fd < 0)
			return fail("the notification socket");
		if (fd != FIRST_FD && (dup2(fd, FIRST_FD) < 0 || close(fd) < 0))
			return fail("the notification socket");
		snprintf(pid, sizeof pid, "%ld", (long)getpid());
		if (setenv("LISTEN_PID", pid, 1) || setenv("LISTEN_FDS", "1", 1) || setenv("LISTEN_FDNAMES", "notify", 1))
			return fail("the environment");
	}
	execv(argv[1], argv + 1);
	return fail(argv[1]);
}
