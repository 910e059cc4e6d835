/**
 * Delays.
 *
 * @module
 */

/** Resolves after `ms` milliseconds, or at once when the signal is aborted. */
export function sleep(ms: number, abort: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (abort.aborted) return Promise.resolve();
  const timer = setTimeout(resolve, ms);
  const onAbort = (): void => {
    clearTimeout(timer);
    resolve();
  };
  abort.addEventListener("abort", onAbort, { once: true });
  return promise.finally(() => abort.removeEventListener("abort", onAbort));
}
