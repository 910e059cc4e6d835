/**
 * An event hub: emitters and listeners do not know each other, and either can be created first. Pure.
 *
 * @module
 */

/** Delivers events of the kinds that are the members of `Events`, each with the member's type. */
export class EventHub<Events extends object> {
  readonly #listeners: { [Kind in keyof Events]?: Set<(event: Events[Kind]) => void> } = {};

  /** Calls the listener with each event of the kind from now on, until the result is disposed of. */
  on<Kind extends keyof Events>(kind: Kind, listener: (event: Events[Kind]) => void): Disposable {
    const listeners = this.#listeners[kind] ??= new Set();
    listeners.add(listener);
    return { [Symbol.dispose]: () => void listeners.delete(listener) };
  }

  /**
   * Calls the listeners of the kind, in the order in which they registered, before it returns. Without a listener the
   * event is lost. Throws what a listener throws; later listeners are not called then.
   */
  emit<Kind extends keyof Events>(kind: Kind, event: Events[Kind]): void {
    for (const listener of this.#listeners[kind] ?? []) listener(event);
  }
}
