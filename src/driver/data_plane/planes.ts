/**
 * Several data planes, each with a worker of its own. A peer's address decides which of them carries its tunnels.
 *
 * @module
 */

import { DataPlane, type DataPlaneOptions } from "./mod.ts";
import { steeredIndex } from "../../../ffi/sockets/steering.ts";

/** A fixed number of data planes. */
export class DataPlanes implements Disposable {
  /** All data planes, by index. */
  readonly all: readonly DataPlane[];

  private constructor(all: readonly DataPlane[]) {
    this.all = all;
  }

  /**
   * Starts `count` workers. All are ready when the promise resolves.
   *
   * @throws {SyscallError} if no descriptors are left
   * @throws {DataPlaneClosed} if a worker does not start; the others are closed
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

  /** Number of workers. */
  get count(): number {
    return this.all.length;
  }

  /** The data plane that carries the tunnels of a peer address of 4 or 16 bytes. */
  planeFor(address: Uint8Array): DataPlane {
    return this.all[steeredIndex(address, this.count)]!;
  }

  /**
   * Turns trace events of all workers on or off.
   *
   * @throws {DataPlaneClosed}
   */
  setTrace(on: boolean): void {
    for (const plane of this.all) plane.setTrace(on);
  }

  /** Ends all workers. */
  [Symbol.dispose](): void {
    for (const plane of this.all) plane.close();
  }
}
