/**
 * Counting this process's open file descriptors: Deno's sanitizers cannot see those that C opens.
 *
 * @module
 */

import { assertEquals } from "@std/assert";

/** Returns the target of each open descriptor by number: `socket:[123]`, a path, `anon_inode:[eventfd]`. */
function openDescriptors(): Map<number, string> {
  const open = new Map<number, string>();
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      open.set(Number(name), Deno.readLinkSync(`/proc/self/fd/${name}`));
    } catch {
      // The one that the listing itself needed.
    }
  }
  return open;
}

/** Runs the action, and asserts that afterwards no descriptor is open that was not open before. */
export async function assertNoLeaks(action: () => Promise<void> | void): Promise<void> {
  const before = openDescriptors();
  await action();
  let leaked: string[] = [];
  // The runtime opens and closes descriptors of its own, so a leak is what stays.
  for (let attempt = 0; attempt < 20; attempt++) {
    const after = openDescriptors();
    leaked = [...after].filter(([number, what]) => before.get(number) !== what).map(([number, what]) =>
      `${number} ${what}`
    );
    if (leaked.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assertEquals(leaked, [], "descriptors that were not open before");
}
