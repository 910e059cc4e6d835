/**
 * Layouts of the C structs that are passed to C, on x86-64 and arm64 Linux. A test compares each with `sizeof` and
 * `offsetof` of a C program. Bytes that no field covers are padding, which is always sent as zero.
 *
 * @module
 */

/** Position of a member within its struct, in bytes. */
export interface Field {
  /** `offsetof` of the member. */
  readonly offset: number;
  /** `sizeof` of the member. */
  readonly size: number;
}

/** Layout of a C struct. */
export interface Layout<Name extends string = string> {
  /** Name in C: `"struct sockaddr_in"`. */
  readonly struct: string;
  /** The headers that declare it. */
  readonly headers: readonly string[];
  /** `sizeof` of the struct. */
  readonly size: number;
  /** Members, by their paths in C. */
  readonly fields: Readonly<Record<Name, Field>>;
}

function layout<const Name extends string>(
  struct: string,
  headers: readonly string[],
  size: number,
  fields: Record<Name, readonly [offset: number, size: number]>,
): Layout<Name> {
  // A loop instead of a chain of calls: this runs at every start.
  const made = {} as Record<Name, Field>;
  for (const name in fields) made[name] = { offset: fields[name][0], size: fields[name][1] };
  return { struct, headers, size, fields: made };
}

const PPPOX = ["sys/socket.h", "netinet/in.h", "linux/if_pppox.h"];

/** IPv4 socket address; port and address in network order. */
export const SOCKADDR_IN = /* @__PURE__ */ layout("struct sockaddr_in", ["netinet/in.h"], 16, {
  sin_family: [0, 2],
  sin_port: [2, 2],
  sin_addr: [4, 4],
});

/** IPv6 socket address; port, flow information and address in network order, scope in host order. */
export const SOCKADDR_IN6 = /* @__PURE__ */ layout("struct sockaddr_in6", ["netinet/in.h"], 28, {
  sin6_family: [0, 2],
  sin6_port: [2, 2],
  sin6_flowinfo: [4, 4],
  sin6_addr: [8, 16],
  sin6_scope_id: [24, 4],
});

/** Netlink socket address; host order. */
export const SOCKADDR_NL = /* @__PURE__ */ layout(
  "struct sockaddr_nl",
  ["sys/socket.h", "linux/netlink.h"],
  12,
  {
    nl_family: [0, 2],
    nl_pid: [4, 4],
    nl_groups: [8, 4],
  },
);

/** Address of an L2TP/IP socket over IPv4; the connection id in host order. */
export const SOCKADDR_L2TPIP = /* @__PURE__ */ layout(
  "struct sockaddr_l2tpip",
  ["sys/socket.h", "linux/l2tp.h"],
  16,
  {
    l2tp_family: [0, 2],
    l2tp_unused: [2, 2],
    l2tp_addr: [4, 4],
    l2tp_conn_id: [8, 4],
  },
);

/** Address of an L2TP/IP socket over IPv6; scope and connection id in host order. */
export const SOCKADDR_L2TPIP6 = /* @__PURE__ */ layout(
  "struct sockaddr_l2tpip6",
  ["sys/socket.h", "linux/l2tp.h"],
  32,
  {
    l2tp_family: [0, 2],
    l2tp_unused: [2, 2],
    l2tp_flowinfo: [4, 4],
    l2tp_addr: [8, 16],
    l2tp_scope_id: [24, 4],
    l2tp_conn_id: [28, 4],
  },
);

/** PPPoL2TP address, version 2 over IPv4: packed; ids in host order. */
export const SOCKADDR_PPPOL2TP = /* @__PURE__ */ layout("struct sockaddr_pppol2tp", PPPOX, 38, {
  sa_family: [0, 2],
  sa_protocol: [2, 4],
  "pppol2tp.pid": [6, 4],
  "pppol2tp.fd": [10, 4],
  "pppol2tp.addr": [14, 16],
  "pppol2tp.s_tunnel": [30, 2],
  "pppol2tp.s_session": [32, 2],
  "pppol2tp.d_tunnel": [34, 2],
  "pppol2tp.d_session": [36, 2],
});

/** PPPoL2TP address, version 2 over IPv6: packed; ids in host order. */
export const SOCKADDR_PPPOL2TPIN6 = /* @__PURE__ */ layout("struct sockaddr_pppol2tpin6", PPPOX, 50, {
  sa_family: [0, 2],
  sa_protocol: [2, 4],
  "pppol2tp.pid": [6, 4],
  "pppol2tp.fd": [10, 4],
  "pppol2tp.s_tunnel": [14, 2],
  "pppol2tp.s_session": [16, 2],
  "pppol2tp.d_tunnel": [18, 2],
  "pppol2tp.d_session": [20, 2],
  "pppol2tp.addr": [22, 28],
});

/** PPPoL2TP address, version 3 over IPv4: packed; ids in host order. */
export const SOCKADDR_PPPOL2TPV3 = /* @__PURE__ */ layout("struct sockaddr_pppol2tpv3", PPPOX, 46, {
  sa_family: [0, 2],
  sa_protocol: [2, 4],
  "pppol2tp.pid": [6, 4],
  "pppol2tp.fd": [10, 4],
  "pppol2tp.addr": [14, 16],
  "pppol2tp.s_tunnel": [30, 4],
  "pppol2tp.s_session": [34, 4],
  "pppol2tp.d_tunnel": [38, 4],
  "pppol2tp.d_session": [42, 4],
});

/** PPPoL2TP address, version 3 over IPv6: packed; ids in host order. */
export const SOCKADDR_PPPOL2TPV3IN6 = /* @__PURE__ */ layout("struct sockaddr_pppol2tpv3in6", PPPOX, 58, {
  sa_family: [0, 2],
  sa_protocol: [2, 4],
  "pppol2tp.pid": [6, 4],
  "pppol2tp.fd": [10, 4],
  "pppol2tp.s_tunnel": [14, 4],
  "pppol2tp.s_session": [18, 4],
  "pppol2tp.d_tunnel": [22, 4],
  "pppol2tp.d_session": [26, 4],
  "pppol2tp.addr": [30, 28],
});

/** Scatter-gather element. */
export const IOVEC = /* @__PURE__ */ layout("struct iovec", ["sys/uio.h"], 16, {
  iov_base: [0, 8],
  iov_len: [8, 8],
});

/** Argument of `sendmsg` and `recvmsg`. */
export const MSGHDR = /* @__PURE__ */ layout("struct msghdr", ["sys/socket.h"], 56, {
  msg_name: [0, 8],
  msg_namelen: [8, 4],
  msg_iov: [16, 8],
  msg_iovlen: [24, 8],
  msg_control: [32, 8],
  msg_controllen: [40, 8],
  msg_flags: [48, 4],
});

/** Element of the set of `poll`. */
export const POLLFD = /* @__PURE__ */ layout("struct pollfd", ["poll.h"], 8, {
  fd: [0, 4],
  events: [4, 2],
  revents: [6, 2],
});

/** Hints and results of `getaddrinfo`. */
export const ADDRINFO = /* @__PURE__ */ layout(
  "struct addrinfo",
  ["sys/types.h", "sys/socket.h", "netdb.h"],
  48,
  {
    ai_flags: [0, 4],
    ai_family: [4, 4],
    ai_socktype: [8, 4],
    ai_protocol: [12, 4],
    ai_addrlen: [16, 4],
    ai_addr: [24, 8],
    ai_canonname: [32, 8],
    ai_next: [40, 8],
  },
);

/** One message of `recvmmsg` and `sendmmsg`. */
export const MMSGHDR = /* @__PURE__ */ layout("struct mmsghdr", ["sys/socket.h"], 64, {
  msg_hdr: [0, 56],
  msg_len: [56, 4],
});

/** Header of a control message, before its data; each starts at a multiple of 8. Host order. */
export const CMSGHDR = /* @__PURE__ */ layout("struct cmsghdr", ["sys/socket.h"], 16, {
  cmsg_len: [0, 8],
  cmsg_level: [8, 4],
  cmsg_type: [12, 4],
});

/** Interface and addresses of a received or sent IPv4 packet; index in host order, addresses in network order. */
export const IN_PKTINFO = /* @__PURE__ */ layout("struct in_pktinfo", ["netinet/in.h"], 12, {
  ipi_ifindex: [0, 4],
  ipi_spec_dst: [4, 4],
  ipi_addr: [8, 4],
});

/** Address and interface of a received or sent IPv6 packet; address in network order, index in host order. */
export const IN6_PKTINFO = /* @__PURE__ */ layout("struct in6_pktinfo", ["netinet/in.h"], 20, {
  ipi6_addr: [0, 16],
  ipi6_ifindex: [16, 4],
});

/** Address of a local socket: a NUL-terminated path. */
export const SOCKADDR_UN = /* @__PURE__ */ layout("struct sockaddr_un", ["sys/socket.h", "sys/un.h"], 110, {
  sun_family: [0, 2],
  sun_path: [2, 108],
});

/** Credentials of the process that connected a local socket (`SO_PEERCRED`); host order. */
export const UCRED = /* @__PURE__ */ layout("struct ucred", ["sys/socket.h"], 12, {
  pid: [0, 4],
  uid: [4, 4],
  gid: [8, 4],
});

/** Network interface request; the name is NUL-terminated, flags in host order. */
export const IFREQ = /* @__PURE__ */ layout("struct ifreq", ["net/if.h"], 40, {
  ifr_name: [0, 16],
  ifr_flags: [16, 2],
});

/** Argument of `epoll_ctl` and result of `epoll_wait`: packed on x86-64 only. Host order. */
export const EPOLL_EVENT: Layout<"events" | "data.u32"> = /* @__PURE__ */ Deno.build.arch === "x86_64"
  ? layout("struct epoll_event", ["sys/epoll.h"], 12, { events: [0, 4], "data.u32": [4, 4] })
  : layout("struct epoll_event", ["sys/epoll.h"], 16, { events: [0, 4], "data.u32": [8, 4] });

/** Entry of the group database. */
export const GROUP = /* @__PURE__ */ layout("struct group", ["grp.h"], 32, {
  gr_name: [0, 8],
  gr_passwd: [8, 8],
  gr_gid: [16, 4],
  gr_mem: [24, 8],
});

/** A point in time or a duration. */
export const TIMESPEC = /* @__PURE__ */ layout("struct timespec", ["time.h"], 16, {
  tv_sec: [0, 8],
  tv_nsec: [8, 8],
});

/** Header in front of a frame of a TUN or TAP device with IFF_VNET_HDR; host order. */
export const VIRTIO_NET_HDR = /* @__PURE__ */ layout("struct virtio_net_hdr", ["linux/virtio_net.h"], 10, {
  flags: [0, 1],
  gso_type: [1, 1],
  hdr_len: [2, 2],
  gso_size: [4, 2],
  csum_start: [6, 2],
  csum_offset: [8, 2],
});

/** A classic BPF program: number and address of its instructions. */
export const SOCK_FPROG = /* @__PURE__ */ layout("struct sock_fprog", ["linux/filter.h"], 16, {
  len: [0, 2],
  filter: [8, 8],
});

/**
 * Argument of bpf(2), a union with a struct for each command; host order. It grows with the kernel; these members are
 * known to every kernel that supports the commands.
 */
export const BPF_ATTR = /* @__PURE__ */ layout("union bpf_attr", ["linux/bpf.h"], 64, {
  map_type: [0, 4],
  key_size: [4, 4],
  value_size: [8, 4],
  max_entries: [12, 4],
  map_flags: [16, 4],
  map_name: [28, 16],
  map_fd: [0, 4],
  key: [8, 8],
  value: [16, 8],
  flags: [24, 8],
  prog_type: [0, 4],
  insn_cnt: [4, 4],
  insns: [8, 8],
  license: [16, 8],
  log_level: [24, 4],
  log_size: [28, 4],
  log_buf: [32, 8],
  prog_name: [48, 16],
  "link_create.prog_fd": [0, 4],
  "link_create.target_ifindex": [4, 4],
  "link_create.attach_type": [8, 4],
});

/** Mode of a network protocol of a PPP unit; host order. */
export const NPIOCTL = /* @__PURE__ */ layout("struct npioctl", ["linux/ppp-ioctl.h"], 8, {
  protocol: [0, 4],
  mode: [4, 4],
});

/**
 * Counters of a PPPoL2TP socket's session or tunnel; host order. The bit-field `using_ipsec`, which has no offset in C,
 * is the lowest bit of the word at 4.
 */
export const PPPOL2TP_IOC_STATS = /* @__PURE__ */ layout(
  "struct pppol2tp_ioc_stats",
  ["linux/ppp-ioctl.h"],
  72,
  {
    tunnel_id: [0, 2],
    session_id: [2, 2],
    tx_packets: [8, 8],
    tx_bytes: [16, 8],
    tx_errors: [24, 8],
    rx_packets: [32, 8],
    rx_bytes: [40, 8],
    rx_seq_discards: [48, 8],
    rx_oos_packets: [56, 8],
    rx_errors: [64, 8],
  },
);
