/**
 * Several data paths, each in a worker of its own, that share the peers among them.
 *
 * @module
 */

import { DataPlane, type DataPlaneOptions } from "./mod.ts";
import { steeredIndex } from "../../../ffi/sockets/steering.ts";

/** Workers that each carry some of the tunnels. */
export class DataPlanes implements Disposable {
  /** The workers. */
  readonly all: readonly DataPlane[];

  private constructor(all: readonly DataPlane[]) {
    this.all = all;
  }

  /**
   * Starts so many workers; they are ready when the promise resolves.
   *
   * @throws {SyscallError} if there are no descriptors left
   * @throws {DataPlaneDead} if one does not start
   */
  static async start(count: number, options: DataPlaneOptions): Promise<DataPlanes> {
    const started = await Promise.allSettled(Array.from({ length: count }, () => DataPlane.start(options)));
    const planes = new DataPlanes(started.flatMap((each) => each.status === "fulfilled" ? [each.value] : []));
    for (const each of started) {
      if (each.status === "fulfilled") continue;
      planes[Symbol.dispose]();
      throw each.reason;
    }
    return planes;
  }

  /** How many there are. */
  get count(): number {
    return this.all.length;
  }

  /** The one that carries what has to do with the address, 4 or 16 bytes. */
  of(address: Uint8Array): DataPlane {
    return this.all[steeredIndex(address, this.count)]!;
  }

  /**
   * Turns trace events on or off.
   *
   * @throws {DataPlaneDead}
   */
  setTrace(on: boolean): void {
    for (const plane of this.all) plane.setTrace(on);
  }

  /** Ends all of them. */
  [Symbol.dispose](): void {
    for (const plane of this.all) plane.close();
  }
}
