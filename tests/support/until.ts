/**
 * Waiting in tests for what happens elsewhere, but not for ever.
 *
 * @module
 */

/** Far longer than anything that is waited for takes, also on a busy machine. */
const LIMIT_MS = 10_000;

/** Waits until the condition holds; fails if it does not in ten seconds. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const end = performance.now() + LIMIT_MS;
  while (!await condition()) {
    if (performance.now() > end) throw new Error(`Waited ten seconds in vain for this: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
