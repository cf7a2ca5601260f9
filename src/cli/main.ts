/** `./ghostinbox`: the command line (command-line.ts), in one file that is made of its sources once. */
import { runKept } from "../daemon/set-up/build/run-kept.ts";

await runKept("command-line", async () => import("./command-line.ts"));
