/**
 * The constants of `ffi/` against the machine's C compiler: flags, options, requests, commands and system call numbers,
 * some of which differ between x86-64 and arm64. The test reads them from the sources, because most are not exported.
 *
 * C must have every constant in `ffi/` that is written as a number: by the same name, or by its expression in `IN_C`.
 * The exceptions are listed in `OURS`. In `src/`, the test checks the constants that have a kernel's name.
 */

import { assert, assertEquals } from "@std/assert";
import { Errno } from "../../src/base/errno.ts";
import { runC } from "./c_program.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** Headers that declare all of them. */
const HEADERS = [
  ...["stddef.h", "errno.h", "fcntl.h", "grp.h", "netdb.h", "poll.h", "sched.h", "time.h", "unistd.h"],
  ...["sys/types.h", "sys/epoll.h", "sys/eventfd.h", "sys/file.h", "sys/ioctl.h", "sys/mman.h"],
  ...["sys/resource.h", "sys/socket.h", "sys/stat.h", "sys/syscall.h", "sys/time.h"],
  ...["netinet/in.h", "netinet/ip.h", "netinet/ip6.h", "net/if.h", "net/if_arp.h"],
  ...["linux/bpf.h", "linux/filter.h", "linux/if_pppox.h", "linux/if_pppol2tp.h", "linux/if_tun.h"],
  ...["linux/l2tp.h", "linux/netlink.h", "linux/nsfs.h", "linux/ppp_defs.h", "linux/ppp-ioctl.h"],
  ...["linux/udp.h", "linux/version.h"],
];

/** Constants of a header that cannot be included together with `HEADERS`. */
const ELSEWHERE: Readonly<Record<string, string>> = { IPPROTO_L2TP: "linux/in.h", SOL_UDP: "netinet/udp.h" };

/** C expressions of the constants that have another name in C, or none. */
const IN_C: Readonly<Record<string, string>> = {
  NR_BPF: "SYS_bpf",
  "MAP_TYPE.hash": "BPF_MAP_TYPE_HASH",
  "MAP_TYPE.array": "BPF_MAP_TYPE_ARRAY",
  "ATTACH.ingress": "BPF_TCX_INGRESS",
  "ATTACH.egress": "BPF_TCX_EGRESS",
  PROT_READ_WRITE: "PROT_READ | PROT_WRITE",
  INSTRUCTION_BYTES: "sizeof(struct bpf_insn)",
  NAME_MAX: "BPF_OBJ_NAME_LEN - 1",
  NAME_SIZE: "sizeof(struct sockaddr_storage)",
  RLIMIT_WORDS: "sizeof(struct rlimit) / 8",
  LD_W_ABS: "BPF_LD | BPF_W | BPF_ABS",
  TAX: "BPF_MISC | BPF_TAX",
  ALU_XOR_X: "BPF_ALU | BPF_XOR | BPF_X",
  ALU_MOD_K: "BPF_ALU | BPF_MOD | BPF_K",
  RET_A: "BPF_RET | BPF_A",
  INSTRUCTION: "sizeof(struct sock_filter)",
  IPV4_SOURCE: "offsetof(struct iphdr, saddr)",
  IPV6_SOURCE: "offsetof(struct ip6_hdr, ip6_src)",
  PMTUDISC_DONT: "IP_PMTUDISC_DONT",
  KEEP_OWNER: "(uid_t)-1",
};

/** The version of Linux that introduced a constant, where the headers of Debian 12 (Linux 6.1) lack it. */
const SINCE: Readonly<Record<string, readonly [major: number, minor: number]>> = {
  "ATTACH.ingress": [6, 6],
  "ATTACH.egress": [6, 6],
  TUN_F_USO4: [6, 2],
  TUN_F_USO6: [6, 2],
};

/** Sizes and limits of our own, and `MAX_FDS`, for which the kernel's headers for programs have no name. */
const OURS: ReadonlySet<string> = new Set([
  ...["ALIGNMENT", "BACKLOG", "CONTROL_STRIDE", "DEFAULT_SLOTS", "LOG_BYTES", "MAX_FDS", "NAME_STRIDE"],
  ...["NANOSECONDS", "PAGE"],
]);

/** Names of the kernel's constants in `src/`. */
const KERNEL_NAMES =
  /^(?:AF|ARPHRD|CLONE|EPOLL|IFF|IPPROTO|MSG|NETLINK|NLMSG|NS_GET|O|SO|SOCK|SOL|TUN_F)_[A-Z0-9_]+$|^UDP_NO_CHECK6_[RT]X$|^(?:EBADFD|ECONNRESET|EIO|ENOSPC)$/;

/** Sizes and offsets that the prototypes in `ffi/` rely on, and the code that fills a struct without a `Layout`. */
const WIDTHS: Readonly<Record<string, number>> = {
  "sizeof(void *)": 8,
  "sizeof(int)": 4,
  "sizeof(long)": 8,
  "sizeof(size_t)": 8,
  "sizeof(ssize_t)": 8,
  "sizeof(off_t)": 8,
  "sizeof(nfds_t)": 8,
  "sizeof(socklen_t)": 4,
  "sizeof(mode_t)": 4,
  "sizeof(uid_t)": 4,
  "sizeof(gid_t)": 4,
  "sizeof(clockid_t)": 4,
  "sizeof(struct timeval)": 16,
  "offsetof(struct timeval, tv_usec)": 8,
  "sizeof(struct rlimit)": 16,
  "offsetof(struct rlimit, rlim_max)": 8,
  "offsetof(struct bpf_insn, imm)": 4,
  "offsetof(struct sock_filter, k)": 4,
};

/** A constant in the sources. */
interface Constant {
  /** File and line. */
  readonly place: string;
  /** Its name. A member of a table on one line has the table's name in front: `TABLE.member`. */
  readonly name: string;
  /** Its value on the machine that runs this. */
  readonly value: bigint;
}

const LITERAL = String.raw`-?(?:0x[0-9a-f_]+|0o[0-7_]+|[0-9][0-9_]*)n?`;
const EXPRESSION = String
  .raw`${LITERAL}(?: (?:<<|\*) ${LITERAL})*|Deno\.build\.arch === "\w+" \? ${LITERAL} : ${LITERAL}`;
const ONE = new RegExp(
  String.raw`^(?:export )?const ([A-Z][A-Z0-9_]*)(?:: \w+)? =\s+(${EXPRESSION});$`,
  "gm",
);
const ROW = new RegExp(String.raw`^  ([A-Z][A-Z0-9_]*): (${EXPRESSION}),$`, "gm");
const TABLE = new RegExp(
  String.raw`^(?:export )?const ([A-Z][A-Z0-9_]*) = \{ ((?:\w+: ${LITERAL}(?:, )?)+) \} as const;$`,
  "gm",
);

function literal(text: string): bigint {
  const digits = text.replaceAll("_", "").replace(/n$/, "");
  return digits.startsWith("-") ? -BigInt(digits.slice(1)) : BigInt(digits);
}

/** The value of an expression of the kinds that `EXPRESSION` matches. */
function evaluate(expression: string): bigint {
  const choice = /^Deno\.build\.arch === "(\w+)" \? (\S+) : (\S+)$/.exec(expression);
  if (choice !== null) return literal((Deno.build.arch === choice[1] ? choice[2] : choice[3])!);
  const [first, ...others] = expression.split(/ (?=<<|\*)/);
  return others.reduce(
    (value, other) =>
      other.startsWith("<<") ? value << literal(other.slice(3)) : value * literal(other.slice(2)),
    literal(first!),
  );
}

async function sources(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(`${ROOT}${folder}`)) {
    if (isDirectory) found.push(...await sources(`${folder}/${name}`));
    else if (name.endsWith(".ts")) found.push(`${folder}/${name}`);
  }
  return found.sort();
}

async function constantsOf(folder: string): Promise<Constant[]> {
  const found: Constant[] = [];
  for (const path of await sources(folder)) {
    const text = await Deno.readTextFile(`${ROOT}${path}`);
    const add = (at: number, name: string, expression: string): void => {
      const line = text.slice(0, at).split("\n").length;
      found.push({ place: `${path}:${line}`, name, value: evaluate(expression) });
    };
    for (const { index, 1: name, 2: expression } of text.matchAll(ONE)) add(index, name!, expression!);
    for (const { index, 1: name, 2: expression } of text.matchAll(ROW)) add(index, name!, expression!);
    for (const { index, 1: table, 2: members } of text.matchAll(TABLE)) {
      for (const member of members!.split(", ")) {
        const [name, value] = member.split(": ");
        add(index, `${table}.${name}`, value!);
      }
    }
  }
  return found;
}

/** The values of C expressions, by name. A constant that the installed headers are too old for is missing. */
async function inC(expressions: Readonly<Record<string, string>>): Promise<Map<string, bigint>> {
  const programs = new Map<readonly string[], string[]>([[HEADERS, []]]);
  for (const [name, expression] of Object.entries(expressions)) {
    const row = `printf("%s %lld\\n", ${JSON.stringify(name)}, (long long)(${expression}));`;
    const since = SINCE[name];
    const guarded = since === undefined
      ? row
      : `#if LINUX_VERSION_CODE >= KERNEL_VERSION(${since.join()}, 0)\n${row}\n#endif`;
    const header = ELSEWHERE[name];
    if (header === undefined) programs.get(HEADERS)!.push(guarded);
    else programs.set([header], [guarded]);
  }
  const printed: string[] = [];
  for (const [headers, rows] of programs) printed.push(await runC(program(headers, rows)));
  return new Map(
    printed.join("").trimEnd().split("\n").map((line) => {
      const blank = line.lastIndexOf(" ");
      return [line.slice(0, blank), BigInt(line.slice(blank + 1))];
    }),
  );
}

function program(headers: readonly string[], rows: readonly string[]): string {
  return `#define _GNU_SOURCE
#include <stdio.h>
${headers.map((header) => `#include <${header}>`).join("\n")}
int main(void) {
${rows.join("\n")}
return 0;
}
`;
}

/** Asserts that the constants have their values in C, but for those that the installed headers are too old for. */
async function assertAsInC(constants: readonly Constant[]): Promise<void> {
  const c = await inC(
    Object.fromEntries(constants.map(({ name }) => [name, IN_C[name] ?? name])),
  );
  const judged = constants.filter(({ name }) => c.has(name));
  const skipped = constants.filter(({ name }) => !c.has(name)).map(({ name }) => name);
  assertEquals(skipped.filter((name) => SINCE[name] === undefined), []);
  assertEquals(
    judged.map(({ place, name, value }) => `${place} ${name} ${value}`),
    judged.map(({ place, name }) => `${place} ${name} ${c.get(name)}`),
  );
}

Deno.test("the constants of ffi/ are those of C", async () => {
  const constants = await constantsOf("ffi");
  assert(constants.length >= 150, `found ${constants.length}`);
  const names = new Set(constants.map(({ name }) => name));
  const stale = [...Object.keys(IN_C), ...Object.keys(SINCE), ...OURS].filter((name) => !names.has(name));
  assertEquals(stale, [], "listed in this test, but not in ffi/");
  await assertAsInC(constants.filter(({ name }) => !OURS.has(name)));
});

Deno.test("the kernel's constants in src/ are those of C", async () => {
  const constants = (await constantsOf("src")).filter(({ name }) => KERNEL_NAMES.test(name));

  assert(constants.length >= 5, `found ${constants.length}`);
  await assertAsInC(constants);
});

Deno.test("the error numbers of errno.ts are those of C", async () => {
  const expected = Object.entries(Errno).map(([name, value]) => [name, BigInt(value)] as const);
  assertEquals(await inC(Object.fromEntries(expected.map(([name]) => [name, name]))), new Map(expected));
});

Deno.test("C types have the sizes that ffi/ relies on", async () => {
  const expected = Object.entries(WIDTHS).map(([name, value]) => [name, BigInt(value)] as const);
  assertEquals(await inC(Object.fromEntries(expected.map(([name]) => [name, name]))), new Map(expected));
});
