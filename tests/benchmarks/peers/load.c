/*
 * The loads of the benchmark against peers, all of them bounded in time:
 *   load flood ADDRESS PORT SECONDS   equal 64-byte frames as fast as they go; "COUNT START END" (ns, CLOCK_MONOTONIC)
 *   load sink PORT SECONDS            what comes, as "NS COUNT" ten times a second
 *   load echo PORT SECONDS            sends back what comes; "ready" once it does
 *   load ping ADDRESS PORT SECONDS    one echo after another: its nanoseconds each, or "lost"
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* With Ethernet, IPv4 and UDP headers that is 64 bytes. */
#define PAYLOAD 22
#define BATCH 64
/* Longer than anything is measured. */
#define SECONDS_MAX 60
#define SAMPLE_US 100000
#define PAUSE_NS 200000
#define LOST_US 200000
#define NS 1000000000LL

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS + t.tv_nsec;
}

static int64_t end_after(const char *seconds)
{
	double s = atof(seconds);

	if (!(s > 0 && s <= SECONDS_MAX)) {
		fprintf(stderr, "not a number of seconds: %s\n", seconds);
		exit(2);
	}
	alarm((unsigned)s + 5);
	return now() + (int64_t)(s * NS);
}

static struct sockaddr_in name(const char *address, const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };

	if (inet_pton(AF_INET, address, &a.sin_addr) != 1) {
		fprintf(stderr, "not an IPv4 address: %s\n", address);
		exit(2);
	}
	return a;
}

static int open_socket(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0)
		fail("socket");
	return fd;
}

static int bound(const char *port)
{
	struct sockaddr_in a = name("0.0.0.0", port);
	int fd = open_socket();

	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		fail("bind");
	return fd;
}

static int connected(const char *address, const char *port)
{
	struct sockaddr_in a = name(address, port);
	int fd = open_socket();

	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		fail("connect");
	return fd;
}

static void patience(int fd, int us)
{
	struct timeval t = { .tv_sec = us / 1000000, .tv_usec = us % 1000000 };

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)) < 0)
		fail("SO_RCVTIMEO");
}

static int flood(char **words)
{
	static char payload[PAYLOAD];
	struct iovec iov = { payload, PAYLOAD };
	struct mmsghdr messages[BATCH];
	int fd = connected(words[0], words[1]);
	int64_t end = end_after(words[2]), start = now(), t;
	long long sent = 0;

	memset(messages, 0, sizeof(messages));
	for (int i = 0; i < BATCH; i++) {
		messages[i].msg_hdr.msg_iov = &iov;
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	while ((t = now()) < end) {
		int n = sendmmsg(fd, messages, BATCH, 0);

		/* A queue that is full is what a flood is for; anything else is not. */
		if (n < 0 && errno != ENOBUFS && errno != EAGAIN)
			fail("sendmmsg");
		if (n > 0)
			sent += n;
	}
	printf("%lld %lld %lld\n", sent, (long long)start, (long long)t);
	return 0;
}

/*
 * Nobody reads the socket: what finds its small buffer full is counted as dropped, and has come as far as it would have
 * come otherwise, at no cost of a process that competes with the tunnel's.
 */
static int sink(char **words)
{
	int fd = bound(words[0]), size = 1;
	int64_t end = end_after(words[1]);

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) < 0)
		fail("SO_RCVBUF");
	do {
		uint32_t memory[SK_MEMINFO_VARS];
		socklen_t length = sizeof(memory);

		if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &length) < 0)
			fail("SO_MEMINFO");
		if (length < (SK_MEMINFO_DROPS + 1) * sizeof(*memory)) {
			fprintf(stderr, "this kernel does not count the drops of a socket\n");
			return 1;
		}
		printf("%lld %u\n", (long long)now(), memory[SK_MEMINFO_DROPS]);
		fflush(stdout);
		usleep(SAMPLE_US);
	} while (now() < end);
	return 0;
}

static int echo(char **words)
{
	int fd = bound(words[0]);
	int64_t end = end_after(words[1]);

	patience(fd, LOST_US);
	puts("ready");
	fflush(stdout);
	while (now() < end) {
		char data[64];
		struct sockaddr_in from;
		socklen_t length = sizeof(from);
		ssize_t n = recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&from, &length);

		if (n < 0 && errno != EAGAIN && errno != EINTR)
			fail("recvfrom");
		/* A queue that is full loses an echo, and the other end says so. */
		if (n >= 0 && sendto(fd, data, (size_t)n, 0, (struct sockaddr *)&from, length) < 0 &&
		    errno != ENOBUFS && errno != EAGAIN)
			fail("sendto");
	}
	return 0;
}

static int ping(char **words)
{
	const struct timespec pause = { 0, PAUSE_NS };
	int fd = connected(words[0], words[1]);
	int64_t end = end_after(words[2]);
	uint64_t number = 0;

	patience(fd, LOST_US);
	while (now() < end) {
		char data[PAYLOAD] = { 0 };
		int64_t start = now(), took;
		uint64_t got;
		ssize_t n;

		number++;
		memcpy(data, &number, sizeof(number));
		n = send(fd, data, sizeof(data), 0);
		if (n < 0 && errno != ENOBUFS && errno != EAGAIN)
			fail("send");
		do {
			n = n < 0 ? n : recv(fd, data, sizeof(data), 0);
			if (n < 0 && errno != ENOBUFS && errno != EAGAIN)
				fail("recv");
			memcpy(&got, data, sizeof(got));
			took = now() - start;
			/* Otherwise it is a late answer to one that counts as lost. */
		} while (n >= 0 && got != number && took < LOST_US * 1000LL);
		if (n < 0 || got != number)
			puts("lost");
		else
			printf("%lld\n", (long long)took);
		nanosleep(&pause, NULL);
	}
	return 0;
}

int main(int count, char **words)
{
	if (count == 5 && strcmp(words[1], "flood") == 0)
		return flood(words + 2);
	if (count == 4 && strcmp(words[1], "sink") == 0)
		return sink(words + 2);
	if (count == 4 && strcmp(words[1], "echo") == 0)
		return echo(words + 2);
	if (count == 5 && strcmp(words[1], "ping") == 0)
		return ping(words + 2);
	fprintf(stderr, "usage: load flood|ping ADDRESS PORT SECONDS, or load sink|echo PORT SECONDS\n");
	return 2;
}
