/**
 * Two hosts whose cable is this process, which lets packets overtake each other and loses some: on a kernel that
 * cannot do that itself (`sch_netem`).
 *
 * @module
 */

import { Namespace, type Pair } from "../support/namespaces.ts";
import { TapHost } from "../support/traffic.ts";

const ETHERTYPE_AT = 12;
const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
/** Upper protocols that tunnels have. */
const UDP = 17;
const L2TP = 115;

/** Disturbances of tunnel packets; other packets pass. */
export interface Disturbance {
  /** Every so manieth packet … */
  readonly holdEvery?: number;
  /** … is passed by so many others. */
  readonly holdFor?: number;
  /** Every so manieth packet is lost. */
  readonly loseEvery?: number;
}

/** Maximum time a packet is held if no others arrive. */
const HOLD_MAX_MS = 20;

interface Held {
  readonly packet: Uint8Array<ArrayBuffer>;
  readonly until: number;
  overtaking: number;
}

/** One direction of the cable. */
class Lane {
  lost = 0;
  readonly #from: TapHost;
  readonly #to: TapHost;
  #seen = 0;
  #held: Held[] = [];

  constructor(from: TapHost, to: TapHost) {
    this.#from = from;
    this.#to = to;
  }

  /** Moves what is there; whether there was anything. */
  move(disturbance: Disturbance, now: number): boolean {
    let moved = false;
    for (let next = this.#from.take(); next !== undefined; next = this.#from.take()) {
      moved = true;
      this.#pass(next, disturbance, now);
    }
    this.#release((held) => held.until <= now);
    return moved;
  }

  /** Sends on what is held. */
  flush(): void {
    this.#release(() => true);
  }

  #pass(packet: Uint8Array<ArrayBuffer>, disturbance: Disturbance, now: number): void {
    if (!isTunnelled(packet)) return void this.#to.send(packet);
    const { holdEvery = 0, holdFor = 0, loseEvery = 0 } = disturbance;
    const number = ++this.#seen;
    if (loseEvery > 0 && number % loseEvery === 0) return void this.lost++;
    if (holdEvery > 0 && number % holdEvery === 0) {
      this.#held.push({ packet, until: now + HOLD_MAX_MS, overtaking: holdFor });
      return;
    }
    this.#to.send(packet);
    this.#release((held) => --held.overtaking <= 0);
  }

  #release(isDue: (held: Held) => boolean): void {
    const due = this.#held.filter(isDue);
    if (due.length === 0) return;
    this.#held = this.#held.filter((held) => !due.includes(held));
    for (const { packet } of due) this.#to.send(packet);
  }
}

function isTunnelled(packet: Uint8Array): boolean {
  const ethertype = (packet[ETHERTYPE_AT]! << 8) | packet[ETHERTYPE_AT + 1]!;
  const protocol = ethertype === ETHERTYPE_IPV4
    ? packet[14 + 9]
    : ethertype === ETHERTYPE_IPV6
    ? packet[14 + 6]
    : undefined;
  return protocol === UDP || protocol === L2TP;
}

/** Two hosts like those of `Pair`, and their cable. */
export class DisturbedPair implements AsyncDisposable {
  /** Two namespaces, as `Hosts` takes them. */
  readonly pair: Pair;
  /** Current disturbances. */
  disturbance: Disturbance = {};
  readonly #stack: AsyncDisposableStack;
  readonly #lanes: readonly Lane[];
  readonly #running: Promise<void>;
  #ended = false;

  private constructor(pair: Pair, ends: readonly [TapHost, TapHost], stack: AsyncDisposableStack) {
    this.pair = pair;
    this.#stack = stack;
    this.#lanes = [new Lane(ends[0], ends[1]), new Lane(ends[1], ends[0])];
    this.#running = this.#run();
  }

  /** Makes the hosts; the cable works at once. */
  static async create(): Promise<DisturbedPair> {
    await using stack = new AsyncDisposableStack();
    const a = stack.use(await Namespace.create("a"));
    const b = stack.use(await Namespace.create("b"));
    const ends: TapHost[] = [];
    for (const [host, namespace] of [[1, a], [2, b]] as const) {
      ends.push(stack.use(new TapHost(namespace.name, "cable")));
      await namespace.ip(`addr add 10.0.0.${host}/24 dev cable`);
      await namespace.ip(`addr add fd00::${host}/64 dev cable nodad`);
      await namespace.ip("link set cable up");
    }
    const pair = { a, b, [Symbol.asyncDispose]: () => Promise.resolve() };
    return new DisturbedPair(pair, ends as [TapHost, TapHost], stack.move());
  }

  /** Number of lost packets so far, in both directions together. */
  get lost(): number {
    return this.#lanes.reduce((sum, { lost }) => sum + lost, 0);
  }

  /** Disturbs no more, when everything that is on its way has arrived. */
  async calm(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 2 * HOLD_MAX_MS));
    this.disturbance = {};
    for (const lane of this.#lanes) lane.flush();
  }

  async #run(): Promise<void> {
    while (!this.#ended) {
      let moved = false;
      for (const lane of this.#lanes) moved = lane.move(this.disturbance, performance.now()) || moved;
      await new Promise((resolve) => setTimeout(resolve, moved ? 0 : 1));
    }
  }

  /** Cuts the cable, and takes the hosts away. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    await this.#running;
    await this.#stack[Symbol.asyncDispose]();
  }
}
