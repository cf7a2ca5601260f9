import { constants, setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import type { AccountName } from "../../core/net/address.ts";
import { loadPasswordJudge } from "../../store/passwords/password-strength.ts";

/** The thread of the web that judges new passwords, and ends (passwords.ts). */

setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the web sends this
const asked = workerData as readonly Readonly<{ owner: AccountName; password: string }>[];
const judge = await loadPasswordJudge();
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- for windows, not threads
for (const { owner, password } of asked) parentPort?.postMessage(judge(password, owner));
