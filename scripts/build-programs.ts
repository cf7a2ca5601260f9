/** For the Dockerfile: builds what each start and command of this checkout runs, and keeps it where they look for it. */

import { CHECKOUT } from "../src/host/running/checkout.ts";
import { keepAll } from "../src/jobs/build/kept-build.ts";

const at = new Date(Number(process.env["SOURCE_DATE_EPOCH"]) * 1_000);
await keepAll({ root: CHECKOUT, place: CHECKOUT, at });
