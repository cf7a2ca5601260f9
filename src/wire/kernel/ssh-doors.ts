import { type Door, merged } from "../../core/firewall/strict.ts";
import { doorOn } from "./ss-doors.ts";
import { socketsOfRoot, sshPortsIn } from "./ssh-ports.ts";

/** Where SSH is reached, by what `ss -Hantpe` prints: its ports, over the families on which a program of root listens there. */
export function sshDoorsIn(sockets: string): readonly Door[] {
  const ports = sshPortsIn(sockets);
  const doors = socketsOfRoot(sockets)
    .filter(({ port, listens }) => listens && ports.includes(port))
    .flatMap(({ address, port }) => doorAt(address, port));
  return merged({ doors, trusted: [] }).doors;
}

/** Where it will be reached once it is started again, by what `sshd -T` prints (sshd_config(5)). */
export function sshDoorsOf(configuration: string): readonly Door[] {
  const doors = [...configuration.matchAll(/^listenaddress (\S+):(\d+)\s*$/gim)].flatMap(([, address = "", port]) =>
    doorAt(address, Number(port)),
  );
  return merged({ doors, trusted: [] }).doors;
}

/** Where systemd listens for it, by what `systemctl show --property=Listen ssh.socket` prints. */
export function socketDoorsOf(unit: string): readonly Door[] {
  const doors = [...unit.matchAll(/^Listen=(?:(\S*):)?(\d+) \(Stream\)$/gm)].flatMap(([, address = "*", port]) =>
    // One socket for both families (systemd.socket(5), BindIPv6Only=).
    doorAt(address === "[::]" ? "*" : address, Number(port)),
  );
  return merged({ doors, trusted: [] }).doors;
}

function doorAt(address: string, port: number): readonly Door[] {
  const door = doorOn("tcp", address, port);
  return door === null ? [] : [door];
}
