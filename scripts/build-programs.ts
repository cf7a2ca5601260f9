/** For the Dockerfile: builds what each start and command of this checkout runs, and keeps it where they look for it. */

import { keepAll } from "../src/daemon/set-up/build/kept-build.ts";
import { CHECKOUT } from "../src/daemon/set-up/checkout.ts";

const at = new Date(Number(process.env["SOURCE_DATE_EPOCH"]) * 1_000);
await keepAll({ root: CHECKOUT, place: CHECKOUT, at });
