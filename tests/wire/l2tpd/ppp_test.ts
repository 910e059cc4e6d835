import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { DecodeError } from "../../../src/base/errors.ts";
import { encodeL2tpdJson, L2TPD_CMD, L2TPD_TEXT_MAX } from "../../../src/wire/l2tpd/family.ts";
import {
  decodePppRequest,
  decodePppStatuses,
  encodePppRequest,
  encodePppStatuses,
  type PppLinkStatus,
  type PppRequest,
  type PppSessionStatus,
} from "../../../src/wire/l2tpd/ppp.ts";
import { assertRefused } from "./refusals.ts";
import { assertDeepStrictEquals } from "../../support/assertions.ts";

const WHOLE: PppRequest = {
  dataplane: "user",
  tunnelId: 1,
  sessionId: 0xffff_ffff,
  settings: {
    interfaceName: "ppp7",
    user: "alice",
    secrets: [{ name: "alice", secret: "wonderland" }],
    secretsFrom: { file: "/etc/l2tp/secrets", stamp: "1 2 3" },
    require: ["chap", "none"],
    ipv4: {
      local: "192.0.2.1",
      remote: "192.0.2.2",
      pool: ["192.0.2.3", "192.0.2.4"],
      dns: ["192.0.2.5"],
      askDns: true,
      defaultRoute: false,
    },
    ipv6: false,
    mtu: 1400,
    mru: 1500,
    clampMss: true,
    echoIntervalMs: 0,
    echoFailures: 5,
    pppdFile: "/etc/ppp/peers/lns",
  },
};

Deno.test("decodePppRequest(): what was encoded comes back, with everything and with next to nothing", () => {
  assertDeepStrictEquals(decodePppRequest(encodePppRequest(WHOLE)), WHOLE);
  const bare = { ...WHOLE, settings: { ipv4: false } } as const;
  const { ipv4, ...rest } = decodePppRequest(encodePppRequest(bare)).settings;
  assertStrictEquals(ipv4, false);
  assert(Object.values(rest).every((value) => value === undefined));
});

Deno.test("decodePppRequest() names the member that is wrong, and never its value", () => {
  const { settings } = WHOLE;
  const table: readonly [member: string, request: unknown][] = [
    ["dataplane", { ...WHOLE, dataplane: "secret-x" }],
    ["tunnelId", { ...WHOLE, tunnelId: 0 }],
    ["sessionId", { ...WHOLE, sessionId: 1.5 }],
    ["settings", { ...WHOLE, settings: [] }],
    ["interfaceName", { ...WHOLE, settings: { interfaceName: "secret/x" } }],
    ["interfaceName", { ...WHOLE, settings: { interfaceName: "ppp%d" } }],
    ["user", { ...WHOLE, settings: { user: "" } }],
    ["user", { ...WHOLE, settings: { user: "secret".repeat(43) } }],
    ["secrets", { ...WHOLE, settings: { secrets: {} } }],
    ["secret", { ...WHOLE, settings: { secrets: [{ name: "a", secret: 5 }] } }],
    ["secrets", { ...WHOLE, settings: { secrets: Array(2001).fill({ name: "a", secret: "s" }) } }],
    ["secretsFrom", { ...WHOLE, settings: { secretsFrom: 5 } }],
    ["file", { ...WHOLE, settings: { secretsFrom: { file: "/" + "secret-x".repeat(600), stamp: "1" } } }],
    ["stamp", { ...WHOLE, settings: { secretsFrom: { file: "/a", stamp: 1 } } }],
    ["require", { ...WHOLE, settings: { require: ["secret"] } }],
    ["ipv4", { ...WHOLE, settings: { ipv4: 5 } }],
    ["local", { ...WHOLE, settings: { ipv4: { local: "::1" } } }],
    ["pool", { ...WHOLE, settings: { ipv4: { pool: ["192.0.2.1"] } } }],
    ["dns", { ...WHOLE, settings: { ipv4: { dns: ["1.1.1.1", "1.1.1.2", "1.1.1.3"] } } }],
    ["ipv6", { ...WHOLE, settings: { ipv6: "secret" } }],
    ["mru", { ...WHOLE, settings: { ...settings, mru: 127 } }],
    ["pppdFile", { ...WHOLE, settings: { pppdFile: "secret-x" } }],
    ["pppdFile", { ...WHOLE, settings: { pppdFile: "/secret-x\0" } }],
    ["pppdFile", { ...WHOLE, settings: { pppdFile: `/${"secret-x".repeat(512)}` } }],
    ["echoFailures", { ...WHOLE, settings: { ...settings, echoFailures: -1 } }],
  ];
  for (const [member, request] of table) {
    const payload = encodeL2tpdJson(L2TPD_CMD.PPP, request as object);
    const error = assertThrows(() => decodePppRequest(payload), DecodeError, undefined, member);
    assertMatch(error.message, new RegExp(`\\.${member} at byte 0: it `));
    assertNotMatch(error.message, /secret-x|secret\/x|wonderland/);
  }
});

Deno.test("encodePppRequest() refuses what a message has no room for", () => {
  const secrets = Array.from({ length: 1000 }, (_, i) => ({ name: `user${i}`, secret: "x".repeat(40) }));
  assertThrows(() => encodePppRequest({ ...WHOLE, settings: { secrets } }), RangeError);
  const fewer = secrets.slice(0, 700);
  assertEquals(
    decodePppRequest(encodePppRequest({ ...WHOLE, settings: { secrets: fewer } })).settings.secrets,
    fewer,
  );
});

Deno.test("decodePppRequest(): every message that is cut is a DecodeError that says nothing of what is in it", () => {
  const payload = encodePppRequest(WHOLE);
  for (let length = 0; length < payload.length; length++) {
    try {
      decodePppRequest(payload.subarray(0, length));
      // What is cut are the zeros behind the end.
      assert(length > payload.length - 4);
    } catch (error) {
      assert(error instanceof DecodeError);
      assertNotMatch(error.message, /wonder|alice/);
    }
  }
});

const STATUS: PppLinkStatus = {
  dataplane: "kernel",
  tunnelId: 1,
  sessionId: 2,
  interfaceName: "ppp0",
  settings: { user: "ålice" },
  status: {
    phase: "network",
    lcp: {
      state: "Opened",
      local: { mru: 1500, magic: 1, pfc: true, acfc: true },
      peer: { mru: 1400, magic: 2, pfc: false, acfc: false },
    },
    auth: {},
    echo: { sent: 1, answered: 1, missed: 0 },
    identification: "line\nbreak \u{1f600}",
    drops: { unknown: 1 },
  },
};
const PPPD_STATUS: PppSessionStatus = {
  dataplane: "kernel",
  tunnelId: 1,
  sessionId: 3,
  pppd: { file: "/etc/ppp/peers/lns", pid: 5, starts: 1, end: undefined },
};

Deno.test("PPP statuses: what was encoded comes back, in ASCII and in pieces that a message has room for", () => {
  const statuses = Array.from({ length: 9 }, (_, i) => ({ ...STATUS, sessionId: i + 1 }));
  const pieces = [...encodePppStatuses([...statuses, PPPD_STATUS])];
  assert(pieces.length > 2);
  for (const piece of pieces) assertMatch(piece, new RegExp(`^[\\x00-\\x7f]{1,${L2TPD_TEXT_MAX}}$`));
  const decoded = decodePppStatuses(pieces);
  assertDeepStrictEquals(decoded.slice(0, -1), statuses);
  const { file, pid, starts } = PPPD_STATUS.pppd!;
  assertDeepStrictEquals(decoded.at(-1), { ...PPPD_STATUS, settings: {}, pppd: { file, pid, starts } });
  assertEquals(decodePppStatuses([...encodePppStatuses([])]), []);
});

Deno.test("PPP statuses: an older daemon tells no settings", () => {
  const { settings: _, ...older } = STATUS;
  const [decoded] = decodePppStatuses([JSON.stringify(older)]);
  assertDeepStrictEquals(decoded, { ...STATUS, settings: {} });
});

Deno.test("PPP statuses: what is refused, and the member that is named", () => {
  assertRefused((text) => decodePppStatuses([text]), "L2TPD_CMD_PPP_STATUS", [
    ["", "secret"],
    ["", "[]"],
    [".dataplane", { ...STATUS, dataplane: "secret" }],
    [".tunnelId", { ...STATUS, tunnelId: 0 }],
    [".sessionId", { ...STATUS, sessionId: "secret" }],
    [".status", { ...STATUS, status: undefined }],
  ]);
});
