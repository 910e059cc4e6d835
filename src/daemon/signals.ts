/**
 * Signals of the daemon.
 *
 * @module
 */

/** Calls the action on each of the signals, until the result is disposed of. */
export function onSignals(signals: readonly Deno.Signal[], action: () => void): Disposable {
  for (const signal of signals) Deno.addSignalListener(signal, action);
  return {
    [Symbol.dispose]: () => {
      for (const signal of signals) Deno.removeSignalListener(signal, action);
    },
  };
}
