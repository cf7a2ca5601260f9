/** `./ghostinbox`: the command line (command-line.ts), bundled into one file. */
import { runKept } from "../../jobs/build/run-kept.ts";

await runKept("command-line", async () => import("./command-line.ts"));
