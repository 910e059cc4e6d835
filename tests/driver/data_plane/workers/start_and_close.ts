/** A program that starts a data plane and closes it, and must end then. */

import { DataPlane } from "../../../../src/driver/data_plane/mod.ts";

const plane = await DataPlane.start();
plane.setTrace(true);
plane.close();
console.log("closed");
