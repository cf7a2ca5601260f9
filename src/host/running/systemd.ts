import { join } from "node:path";
import type { Layout } from "../../settings/layout.ts";
import { SYSTEM_PATH } from "../machine/run-program.ts";
import { NODE_FLAGS, SERVICES, type ServiceName, WEIGHTS } from "./runit.ts";
import { type Confined, SANDBOXES } from "./sandboxes.ts";

/** The unit of the start, which prepares everything and starts the others. */
export const MAIN_UNIT = "ghostinbox.service";
/** Forwards the mail servers' log, which they write themselves, to the journal. */
export const MAIL_LOG_UNIT = "ghostinbox-mail-log.service";
/** The first line of each unit, by which our units are recognised. */
export const UNIT_HEAD = "# Made by GhostInbox. Changes made here are lost; those of `systemctl edit` are kept.";
/** Exit code of a start whose program is older than the data, so that restarting it does not help. */
export const DATA_IS_NEWER = 4;
/** Variables of the start, one per line. The file may be missing. */
export const VARIABLES_FILE = "/etc/default/ghostinbox";
/** All units but the main one, as systemctl(1) takes it. */
export const OTHER_UNITS = "ghostinbox-*.service";

type UnitsInput = Readonly<{
  layout: Layout;
  node: string;
  checkout: string;
  /** The directory of the start's compiled code. */
  compileCache: string;
}>;

type UnitFile = Readonly<{ name: string; text: string }>;

/** Renders a unit for each service of `renderRunit`, one for the start and one for the log. Set-up ensures that no path has spaces. */
export function renderUnits(input: UnitsInput): readonly UnitFile[] {
  return [
    { name: MAIN_UNIT, text: mainUnit(input) },
    ...SERVICES.map((service) => ({ name: unitOf(service), text: serviceUnit(service, input) })),
    { name: MAIL_LOG_UNIT, text: mailLogUnit(input) },
  ];
}

export function unitOf(service: ServiceName): string {
  return `ghostinbox-${service}.service`;
}

/**
 * The unit of the start, which starts and stops the other units itself, in order, so no ordering is needed here. If it is killed,
 * ExecStopPost stops them, and systemd starts it again.
 */
function mainUnit({ layout, node, checkout, compileCache }: UnitsInput): string {
  return unit({
    Unit: [
      "Description=GhostInbox, a guarded mail server",
      "Documentation=man:ghostinbox(8)",
      "After=network.target nss-lookup.target",
      // Each may be a separate disk. Without its mount, mail would be written beneath the mount point.
      `RequiresMountsFor=${[layout.data, layout.mail, layout.log, layout.backup].join(" ")}`,
      // The cause of a failed start may go away, such as another program on a port. Frequent manual starts are allowed too.
      "StartLimitIntervalSec=0",
    ],
    Service: [
      "Type=notify",
      "NotifyAccess=all",
      "SyslogIdentifier=ghostinbox",
      `Environment=GHOSTINBOX_DATA=${layout.data} NODE_COMPILE_CACHE=${compileCache}`,
      `EnvironmentFile=-${VARIABLES_FILE}`,
      `ExecStart=${node} ${NODE_FLAGS} ${checkout}/src/programs/set-up/start.ts --systemd`,
      `ExecStopPost=-/bin/systemctl stop ${OTHER_UNITS}`,
      "Restart=on-failure",
      // A restart would not help with data of a newer version.
      `RestartPreventExitStatus=${DATA_IS_NEWER}`,
      "RestartSec=10",
      "KillMode=mixed",
      // Migrating large databases takes long. The rest of a start has its own limits.
      "TimeoutStartSec=infinity",
      "TimeoutStopSec=90",
      ...on("LockPersonality ProtectClock ProtectHostname ProtectKernelLogs ProtectKernelModules RestrictRealtime"),
      "SystemCallArchitectures=native",
    ],
    Install: ["WantedBy=multi-user.target"],
  });
}

/** runsv(8) restarts the service within a second, and notifies the keeper. systemd confines both, and restarts runsv. */
function serviceUnit(service: ServiceName, { layout }: UnitsInput): string {
  const sandbox = SANDBOXES[service];
  const weight = WEIGHTS[service];
  return unit({
    Unit: [
      `Description=GhostInbox: ${sandbox.says}`,
      "Documentation=man:ghostinbox(8)",
      `ConditionPathExists=${layout.services}/${service}/run`,
    ],
    Service: [
      `ExecStart=/usr/bin/runsv ${layout.services}/${service}`,
      `WorkingDirectory=${layout.services}`,
      `Environment=LC_ALL=C.UTF-8 PATH=${SYSTEM_PATH}`,
      `SyslogIdentifier=ghostinbox-${service}`,
      "Restart=always",
      "RestartSec=1",
      // If the kernel ends one process for lack of memory, the rest of the service continues.
      "OOMPolicy=continue",
      "KillMode=mixed",
      "TimeoutStopSec=20",
      ...(weight === undefined ? [] : [`Nice=${weight.nice}`, `CPUWeight=${weight.cpu}`]),
      ...sandboxLines(service, layout),
    ],
  });
}

function mailLogUnit({ layout }: UnitsInput): string {
  return unit({
    Unit: ["Description=GhostInbox: passes on the mail servers' log", "Documentation=man:ghostinbox(8)"],
    Service: [
      `ExecStart=/usr/bin/tail --lines=0 --follow=name --retry ${layout.mailLog}`,
      "SyslogIdentifier=ghostinbox-mail",
      "Restart=always",
      "RestartSec=5",
      "DynamicUser=yes",
      "SupplementaryGroups=ghostinbox-logs",
      "CapabilityBoundingSet=",
      "PrivateNetwork=yes",
      "RestrictAddressFamilies=AF_UNIX",
      "SystemCallFilter=@system-service",
      ...ALWAYS,
      "ProtectSystem=strict",
      ...hidingLines(layout),
    ],
  });
}

/** Restrictions that suit every service. */
const ALWAYS = [
  "KeyringMode=private",
  ...on("LockPersonality NoNewPrivileges PrivateDevices PrivateMounts ProtectClock ProtectControlGroups"),
  ...on("ProtectHostname ProtectKernelLogs ProtectKernelModules ProtectKernelTunables"),
  ...on("RestrictNamespaces RestrictRealtime RestrictSUIDSGID"),
  "SystemCallArchitectures=native",
];

/** Settings that are only on or off, by their names. */
function on(names: string): readonly string[] {
  return names.split(" ").map((name) => `${name}=yes`);
}

function sandboxLines(service: ServiceName, layout: Layout): readonly string[] {
  const sandbox = SANDBOXES[service];
  if (sandbox.capabilities === "all") return on("LockPersonality ProtectClock ProtectHostname ProtectKernelModules");
  const { capabilities, families, calls, writes, home } = sandbox;
  const { services, data, mail, log } = layout;
  const own = [join(services, service), join(log, service)];
  // `mail` and `log` may be links to other disks.
  const paths = writes === "everything" ? [data, mail, log] : [...own, ...writes(layout)];
  const always = sandbox.gainsRights === true ? ALWAYS.filter((line) => !FORBIDS_NEW_RIGHTS.test(line)) : ALWAYS;
  return [
    `CapabilityBoundingSet=${capabilities.map((name) => `CAP_${name}`).join(" ")}`,
    `RestrictAddressFamilies=${families.map((name) => `AF_${name}`).join(" ")}`,
    `SystemCallFilter=@system-service${calls === undefined ? "" : ` ${calls}`}`,
    "SystemCallErrorNumber=EPERM",
    ...always,
    "ProtectSystem=strict",
    // The `-` keeps a missing path from preventing the start.
    `ReadWritePaths=${paths.map((path) => `-${path}`).join(" ")}`,
    ...hidingLines(layout, home),
    ...(sandbox.seesOthers === true ? [] : ["ProtectProc=invisible"]),
  ];
}

const FORBIDS_NEW_RIGHTS = /^(NoNewPrivileges|RestrictSUIDSGID)=/;

/** Hides homes and temporary files, unless that would hide the data directory. */
function hidingLines({ data }: Layout, home: Confined["home"] | "yes" = "yes"): readonly string[] {
  const isBelow = (...places: readonly string[]): boolean => places.some((place) => `${data}/`.startsWith(`${place}/`));
  return [
    ...(isBelow("/home", "/root", "/run/user") ? [] : [`ProtectHome=${home}`]),
    ...(isBelow("/tmp", "/var/tmp") ? [] : ["PrivateTmp=yes"]),
  ];
}

function unit(sections: Readonly<Record<string, readonly string[]>>): string {
  const text = Object.entries(sections).map(([name, lines]) => `[${name}]\n${lines.join("\n")}\n`);
  return [`${UNIT_HEAD}\n`, ...text].join("\n");
}
