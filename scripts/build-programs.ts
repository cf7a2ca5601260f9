/** For the Dockerfile: builds the programs that each start and command of this checkout runs, and stores them where these look. */

import { CHECKOUT } from "../src/host/running/checkout.ts";
import { keepAll } from "../src/jobs/build/kept-build.ts";

const at = new Date(Number(process.env["SOURCE_DATE_EPOCH"]) * 1_000);
await keepAll({ root: CHECKOUT, place: CHECKOUT, at });
