/** `npm start`, or the systemd unit: the server (serve.ts), bundled into one file. */
import { runKept } from "../../jobs/build/run-kept.ts";

await runKept("start", async () => import("./serve.ts"));
