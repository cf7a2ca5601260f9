import assert from "node:assert/strict";
import { test } from "node:test";
import { mailServices } from "../../mail/configuration/mail-services.ts";
import { layoutOf } from "../../settings/layout.ts";
import { renderRunit, SERVICES } from "./runit.ts";
import { MAIL_LOG_UNIT, MAIN_UNIT, renderUnits, unitOf } from "./systemd.ts";

const layout = layoutOf("/srv/mail");

function units(data = layout): ReadonlyMap<string, string> {
  const programs = { node: "/usr/bin/node", checkout: "/opt/ghostinbox", compileCache: "/var/cache/x" };
  return new Map(renderUnits({ layout: data, ...programs }).map(({ name, text }) => [name, text]));
}

function unit(name: string, data = layout): string {
  return units(data).get(name) ?? assert.fail(name);
}

test("each service of runit has a unit, which runs it only if the settings enable it", () => {
  assert.deepEqual([...units().keys()], [MAIN_UNIT, ...SERVICES.map(unitOf), MAIL_LOG_UNIT]);
  const mail = mailServices(layout, { spam: 2, fail2ban: true });
  for (const { service } of renderRunit({ layout, mail, netAdmin: true, export: true })) {
    assert.match(unit(unitOf(service)), new RegExp(`^ConditionPathExists=/srv/mail/service/${service}/run$`, "m"));
    assert.match(unit(unitOf(service)), new RegExp(`^ExecStart=/usr/bin/runsv /srv/mail/service/${service}$`, "m"));
  }
});

test("only the unit of the start is enabled, which starts and ends the others", () => {
  const enabled = [...units()].flatMap(([name, text]) => (text.includes("[Install]") ? [name] : []));
  assert.deepEqual(enabled, [MAIN_UNIT]);
  assert.match(unit(MAIN_UNIT), /^ExecStopPost=-\/bin\/systemctl stop ghostinbox-\*\.service$/m);
});

test("the start waits for the mounts of the data, mail, logs and backups", () => {
  const mounts = /^RequiresMountsFor=\/srv\/mail \/srv\/mail\/mail \/srv\/mail\/log \/srv\/mail\/backup$/m;
  assert.match(unit(MAIN_UNIT), mounts);
});

test("a failed start is retried, unless the data is newer; an upgrade has no time limit", () => {
  assert.match(unit(MAIN_UNIT), /^Restart=on-failure\nRestartPreventExitStatus=4$/m);
  assert.match(unit(MAIN_UNIT), /^TimeoutStartSec=infinity$/m);
});

test("the guard may change the firewall and the web may not; neither gains a right", () => {
  assert.match(unit("ghostinbox-guard.service"), /^CapabilityBoundingSet=.*\bCAP_NET_ADMIN\b/m);
  assert.doesNotMatch(unit("ghostinbox-web.service"), /CAP_NET_ADMIN|CAP_DAC|AF_NETLINK/);
  const lines = ["NoNewPrivileges=yes", "ProtectSystem=strict", "RestrictNamespaces=yes", "ProtectProc=invisible"];
  for (const service of ["guard", "web"] as const)
    for (const line of lines) assert.ok(unit(unitOf(service)).includes(`\n${line}\n`), `${service}: ${line}`);
});

test("every service except the keeper writes only in the data directory, and survives the end of one process", () => {
  for (const service of SERVICES) {
    const text = unit(unitOf(service));
    assert.match(text, /^OOMPolicy=continue$/m);
    if (service === "keeper") assert.doesNotMatch(text, /ProtectSystem/);
    else assert.match(text, /^ProtectSystem=strict\nReadWritePaths=-\/srv\/mail(\/\S+)?( -\/srv\/mail\/\S+)*$/m);
  }
  const writes = "ReadWritePaths=-/srv/mail -/srv/mail/mail -/srv/mail/log\n";
  assert.ok(unit("ghostinbox-dovecot.service").includes(writes), "mail and log may be links to other disks");
});

test("services that open files named by settings can read homes; others see none", () => {
  const reads = SERVICES.filter((service) => /^ProtectHome=read-only$/m.test(unit(unitOf(service))));
  assert.deepEqual(reads, ["unbound", "postfix", "dovecot", "fail2ban", "export"]);
  const sees = SERVICES.filter((service) => !/^ProtectHome=/m.test(unit(unitOf(service))));
  assert.deepEqual(sees, ["keeper"]);
});

test("a data directory in a home or in /tmp is not hidden from its services", () => {
  const protects = (data: string): readonly string[] =>
    unit("ghostinbox-guard.service", layoutOf(data)).match(/^(ProtectHome|PrivateTmp)=.*$/gm) ?? [];
  assert.deepEqual(protects("/srv/mail"), ["ProtectHome=yes", "PrivateTmp=yes"]);
  assert.deepEqual(protects("/root/mail"), ["PrivateTmp=yes"]);
  assert.deepEqual(protects("/tmp/mail"), ["ProtectHome=yes"]);
});
