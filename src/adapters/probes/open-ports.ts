import { connect } from "node:net";

const AT_ONCE = 200;
const TIMEOUT_MS = 1_000;

/** Which of these ports accept a connection at an address of this machine. Closes each connection at once. */
export async function openPorts(host: string, ports: readonly number[]): Promise<readonly number[]> {
  const open: number[] = [];
  const waiting = ports.values();
  const scan = async (): Promise<void> => {
    for (const port of waiting) if (await takes(host, port)) open.push(port);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, scan));
  return open.toSorted((a, b) => a - b);
}

function takes(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (isOpen: boolean): void => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.setTimeout(TIMEOUT_MS, () => end(false));
    socket.once("connect", () => end(true)).once("error", () => end(false));
  });
}
