import { describe } from "node:test";
import { whyNoLab } from "../lab/network.ts";
import { nonsenseTests } from "../lab/nonsense-tests.ts";
import { STUB_ZONES, stubZonesTests } from "../lab/stub-zones-tests.ts";
import { withProduct } from "../lab/with-product.ts";

describe("a server to which no mail comes", { skip: whyNoLab() ?? false }, () => {
  const running = withProduct(STUB_ZONES.settings, ["anna@example.test"], { records: () => STUB_ZONES.records });

  describe("nonsense gets one clear line and its exit code", () => nonsenseTests(running));
  describe("zones of one's own among reserved names", () => stubZonesTests(running));
});
