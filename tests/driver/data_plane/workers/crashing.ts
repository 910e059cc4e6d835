/** The data path's worker, but with a loop that throws when it reports a control message. */

import type { StartMessage } from "../../../../src/driver/data_plane/commands.ts";
import { serve } from "../../../../src/driver/data_plane/worker/loop.ts";

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<StartMessage>) => void;
  postMessage(message: unknown): void;
};

scope.onmessage = ({ data }): void => {
  serve(data, (report) => {
    if (report.type === "control") throw new Error("no bread today");
    scope.postMessage(report);
  });
};
