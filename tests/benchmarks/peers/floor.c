/*
 * What a tunnel of the same system calls costs that does nothing: `floor DEVICE LOCAL REMOTE`. Super-frames of the TAP
 * device go out as one message of many datagrams (UDP_SEGMENT), cut anywhere, and what comes in as one (UDP_GRO) goes to
 * the device as it is. No header, no checksum, no look-up, nothing for each segment. It takes a way that passes whole
 * messages on, as a veth pair does: elsewhere a lost datagram would be a broken frame.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORT 4000
/* Payload of a datagram that fills an MTU of 1500. */
#define SEGMENT 1472
/* As the data path has them: messages, their memory, and bytes read in one turn. */
#define MESSAGES 32
#define SLOT 0x10400
#define TURN_BYTES (256 * 1024)
#define SOCKET_BUFFER (8 << 20)

static char memory[MESSAGES][SLOT] __attribute__((aligned(64)));
static char control[MESSAGES][CMSG_SPACE(sizeof(uint16_t))] __attribute__((aligned(8)));
static struct iovec parts[MESSAGES];
static struct mmsghdr messages[MESSAGES];

static int check(const char *what, int result)
{
	if (result < 0) {
		perror(what);
		exit(1);
	}
	return result;
}

static int open_tap(const char *name)
{
	int tap = check("open", open("/dev/net/tun", O_RDWR | O_NONBLOCK));
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };

	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	check("TUNSETIFF", ioctl(tap, TUNSETIFF, &request));
	check("TUNSETOFFLOAD", ioctl(tap, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6));
	return tap;
}

static int open_socket(const char *local, const char *remote)
{
	int udp = check("socket", socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0));
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int on = 1, size = SOCKET_BUFFER;

	check("SO_RCVBUFFORCE", setsockopt(udp, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)));
	check("SO_SNDBUFFORCE", setsockopt(udp, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)));
	check("UDP_GRO", setsockopt(udp, IPPROTO_UDP, UDP_GRO, &on, sizeof(on)));
	inet_pton(AF_INET, local, &address.sin_addr);
	check("bind", bind(udp, (struct sockaddr *)&address, sizeof(address)));
	inet_pton(AF_INET, remote, &address.sin_addr);
	check("connect", connect(udp, (struct sockaddr *)&address, sizeof(address)));
	return udp;
}

static void set_message(int i, size_t length)
{
	parts[i] = (struct iovec){ .iov_base = memory[i], .iov_len = length };
	messages[i].msg_hdr = (struct msghdr){ .msg_iov = &parts[i], .msg_iovlen = 1 };
}

static void cut_message(int i)
{
	struct msghdr *header = &messages[i].msg_hdr;
	struct cmsghdr *segment = (struct cmsghdr *)control[i];
	uint16_t size = SEGMENT;

	segment->cmsg_level = IPPROTO_UDP;
	segment->cmsg_type = UDP_SEGMENT;
	segment->cmsg_len = CMSG_LEN(sizeof(size));
	memcpy(CMSG_DATA(segment), &size, sizeof(size));
	header->msg_control = segment;
	header->msg_controllen = CMSG_SPACE(sizeof(size));
}

static void transmit(int tap, int udp)
{
	int count = 0, total = 0;

	while (count < MESSAGES && total < TURN_BYTES) {
		ssize_t length = read(tap, memory[count], SLOT);

		if (length < 0)
			break;
		set_message(count, length);
		if (length > SEGMENT)
			cut_message(count);
		total += length;
		count++;
	}
	for (int next = 0; next < count;) {
		int sent = sendmmsg(udp, messages + next, count - next, MSG_DONTWAIT);

		next += sent > 0 ? sent : 1;
	}
}

static void receive(int tap, int udp)
{
	int count;

	for (int i = 0; i < MESSAGES; i++)
		set_message(i, SLOT);
	count = recvmmsg(udp, messages, MESSAGES, MSG_DONTWAIT, NULL);
	for (int i = 0; i < count; i++)
		if (write(tap, memory[i], messages[i].msg_len) < 0)
			continue; /* down, or full: the frame is lost */
}

int main(int argc, char **argv)
{
	int tap, udp;

	if (argc != 4)
		return 2;
	tap = open_tap(argv[1]);
	udp = open_socket(argv[2], argv[3]);
	puts("ready");
	fflush(stdout);
	for (;;) {
		struct pollfd set[] = { { tap, POLLIN, 0 }, { udp, POLLIN, 0 } };

		check("poll", poll(set, 2, -1));
		if (set[0].revents)
			transmit(tap, udp);
		if (set[1].revents)
			receive(tap, udp);
	}
}
