import { describe } from "node:test";
import { lacking } from "../kit/needs.ts";
import { apiClientTests } from "../lab/api-client-tests.ts";
import { apiTests } from "../lab/api-tests.ts";
import { auditTests } from "../lab/audit-tests.ts";
import { leakTests } from "../lab/leak-tests.ts";
import { ANNA } from "../lab/mail.ts";
import { monitoringTests } from "../lab/monitoring-tests.ts";
import { routesTests } from "../lab/routes-tests.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

describe("the HTTP API and what it shows", needsLab(), () => {
  const running = withProduct({ GHOSTINBOX_ALERTS__EMAIL: ANNA }, [ANNA]);

  describe("what the HTTP API does", () => apiTests(running));
  describe("a ban that leaks", () => leakTests(running));
  // By now the keeper has checked the audit, which it does a minute after its start.
  describe("what administrators did", () => auditTests(running));
  const programs = lacking({ installed: ["promtool", "prometheus"] });
  describe("how Prometheus and Grafana read the metrics", { skip: programs }, () => monitoringTests(running));
  describe("a script with the client of clients/typescript", () => apiClientTests(running));
  // Last, because it suspends the account and turns on encryption.
  describe("every route of the running server", () => routesTests(running));
});
