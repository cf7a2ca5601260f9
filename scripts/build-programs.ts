/** For the Dockerfile: builds the programs, and keeps them where each start from this checkout looks for them. */
import { buildPrograms } from "../src/daemon/set-up/build-programs.ts";
import { CHECKOUT } from "../src/daemon/set-up/checkout.ts";
import { keptBuild } from "../src/daemon/set-up/kept-build.ts";

await keptBuild(CHECKOUT, buildPrograms);
