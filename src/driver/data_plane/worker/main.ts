/**
 * Entry point of the data path's worker. It receives one message, the {@link StartMessage}. Afterwards it never
 * returns to its event loop: commands arrive as synchronous calls through shared memory.
 *
 * @module
 */

import type { Report, StartMessage } from "../commands.ts";
import { serve } from "./loop.ts";

/**
 * The members of a worker's global scope used here. The type library of workers conflicts with that of the main
 * thread.
 */
interface WorkerScope {
  onmessage: ((event: MessageEvent<StartMessage>) => void) | null;
  postMessage(report: Report): void;
  close(): void;
}

const scope = globalThis as unknown as WorkerScope;

scope.onmessage = ({ data }): void => {
  serve(data, (report) => scope.postMessage(report));
  scope.close();
};
