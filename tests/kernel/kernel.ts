/**
 * Shared helpers of the tests on a real kernel: the check for one, waiting for the kernel's deferred work, and clients
 * inside namespaces.
 *
 * @module
 */

import { L2tpClient } from "../../src/client/l2tp_client.ts";
import { LinkClient } from "../../src/client/link_client.ts";
import { inNamespace } from "../../src/driver/system/namespace.ts";
import { FamilyMissingError } from "../../src/base/errors.ts";
import { bindLibc } from "../../ffi/libc.ts";
import { Namespace } from "../support/namespaces.ts";

// Opened once and for good: inside of a test they would count as its leak.
bindLibc();

/** An emulated machine shared with others may take this long for what takes milliseconds elsewhere. */
const PATIENCE_MS = 30_000;

/**
 * Says plainly, before anything is made, what a test lacks that cannot run here.
 *
 * @throws {Error}
 */
export function requireL2tp(): void {
  const guest = "run it in the guest: deno run -A tests/guest/guest.ts -- deno test -A tests/kernel/…";
  if (Deno.uid() !== 0) throw new Error(`This test must be root; ${guest}`);
  try {
    using _client = L2tpClient.open();
  } catch (error) {
    if (!(error instanceof FamilyMissingError)) throw error;
    throw new Error(`This kernel has no L2TP; ${guest}`, { cause: error });
  }
}

/** True in the test guest, where changes to the system do not persist. */
export function isGuest(): boolean {
  return Deno.env.get("L2TP_GUEST") === "1";
}

/**
 * Waits until the condition gives something other than `false` and `undefined`, which it resolves to.
 *
 * @throws {Error} that says what did not happen
 */
export async function until<T>(
  what: string,
  condition: () => T | false | undefined | Promise<T | false | undefined>,
): Promise<T> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const result = await condition();
    if (result !== false && result !== undefined) return result;
    if (performance.now() > end) {
      throw new Error(`It has not come to be within ${PATIENCE_MS / 1000} s: ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A namespace with interface `d0`: 10.0.0.1/24, fd00::1/64. */
export async function openHost(prefix: string): Promise<Namespace> {
  await using stack = new AsyncDisposableStack();
  const host = stack.use(await Namespace.create(prefix));
  await host.ip("link add d0 type dummy");
  await host.ip("addr add 10.0.0.1/24 dev d0");
  await host.ip("addr add fd00::1/64 dev d0 nodad");
  await host.ip("link set d0 up");
  stack.move();
  return host;
}

/** A client of the namespace's tunnels. */
export function clientIn({ name }: Namespace): L2tpClient {
  return inNamespace(name, () => L2tpClient.open());
}

/** A client of the namespace's interfaces. */
export function linksIn({ name }: Namespace): LinkClient {
  return inNamespace(name, LinkClient.open);
}

/** Names of the namespace's interfaces. */
export function linkNames(namespace: Namespace): string[] {
  using links = linksIn(namespace);
  return links.links().map(({ name }) => name);
}

/** The kernel's own view of the namespace's tunnels: debugfs' `l2tp/tunnels` without its header of 11 lines. */
export function debugfsOf({ name }: Namespace): string {
  const text = inNamespace(name, () => Deno.readTextFileSync("/sys/kernel/debug/l2tp/tunnels"));
  return text.split("\n").slice(11).join("\n");
}

/** Writes a file below /proc/sys of the namespace. */
export function sysctl({ name }: Namespace, path: string, value: string): void {
  inNamespace(name, () => Deno.writeTextFileSync(`/proc/sys/${path}`, value));
}

/** Deletes every tunnel of the namespace and waits until nothing of them is left. */
export async function deleteTunnels(namespace: Namespace): Promise<void> {
  using l2tp = clientIn(namespace);
  for (const { tunnelId } of l2tp.tunnels()) l2tp.deleteTunnel(tunnelId);
  await until(
    "the tunnels and their interfaces go",
    () => l2tp.tunnels().length === 0 && !linkNames(namespace).some((name) => /^l2/.test(name)),
  );
}
