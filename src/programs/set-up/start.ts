/** `npm start`, or the unit of systemd: the server (serve.ts), in one file that is made of its sources once. */
import { runKept } from "../../jobs/build/run-kept.ts";

await runKept("start", async () => import("./serve.ts"));
