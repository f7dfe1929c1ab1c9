const unit = 'http-proxy';
const floor = 'undici';

/** Middle and extremes of a list of numbers. */
export function summarize(values) {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length / 2;
  const median =
    sorted.length % 2 === 1 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, min: sorted[0], max: sorted.at(-1) };
}

// Below this the proxy was not what limited the rate, above that the load was. The proxy's share is its own CPU time:
// a core that other programs keep busy says nothing about it.
const leastProxyBusy = 0.9;
const mostLoadBusy = 0.85;

/**
 * Sums up the rounds of one case: target → rounds. Rates are compared where both cores were as busy as they must
 * be in the median, CPU time otherwise and always when `alwaysCpu`.
 */
export function compareTargets(rounds, alwaysCpu) {
  const summaries = Object.fromEntries(
    Object.entries(rounds).map(([target, measured]) => [target, summarizeTarget(measured, alwaysCpu)]),
  );
  for (const [target, summary] of Object.entries(summaries)) {
    if (target === 'direct') continue;
    Object.assign(summary, ratioTo(summaries[unit], summary), {
      floorRatio: ratioTo(summaries[floor], summary).ratio,
    });
  }
  return summaries;
}

function ratioTo(base, { isSaturated, perSecond, cpuUs }) {
  const basis = isSaturated && base.isSaturated ? 'rate' : 'CPU';
  const ratio =
    basis === 'rate' ? perSecond.median / base.perSecond.median : base.cpuUs.median / cpuUs.median;
  return { basis, ratio };
}

function summarizeTarget(measured, alwaysCpu) {
  const of = (field) => summarize(measured.map((round) => round[field]));
  const proxyBusy = summarize(measured.map(({ cpuUs, perSecond }) => (cpuUs * perSecond) / 1e6));
  const loadBusy = of('loadBusy');
  return {
    perSecond: of('perSecond'),
    p50Us: of('p50Us'),
    p99Us: of('p99Us'),
    cpuUs: of('cpuUs'),
    proxyBusy,
    loadBusy,
    isSaturated: !alwaysCpu && proxyBusy.median >= leastProxyBusy && loadBusy.median <= mostLoadBusy,
    wrongRounds: measured.filter(({ isWrong }) => isWrong).length,
  };
}

/** The whole result as Markdown. */
export function renderReport({ machine, cases, cold, latency, memory, rounds, seconds }) {
  const lines = [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, Linux ${machine.kernel}, Node ${machine.node}, ${machine.nginx}, ${machine.wrk}; ${rounds} rounds of ${seconds} s.`,
    '',
    '| Case | Target | req/s, median (min–max) | CPU µs/request | CPU ms/GiB | × http-proxy | by | × undici | proxy / core 1 busy |',
    '|---|---|--:|--:|--:|--:|---|--:|--:|',
  ];
  for (const { name, bytes, targets } of cases) {
    for (const [target, summary] of Object.entries(targets))
      lines.push(caseRow(name, bytes, target, summary));
  }
  lines.push('', ...latencyTable(latency));
  lines.push('', '| First 10,000 requests | CPU µs/request |', '|---|--:|');
  for (const [target, cpuUs] of Object.entries(cold)) {
    if (target !== 'direct') lines.push(`| ${target} | ${number(cpuUs)} |`);
  }
  lines.push('', '| Resident memory, MiB | median | peak |', '|---|--:|--:|');
  for (const [target, { median, peak }] of Object.entries(memory)) {
    lines.push(`| ${target} | ${number(median)} | ${number(peak)} |`);
  }
  return `${lines.join('\n')}\n`;
}

function latencyTable(latency) {
  const connections = Object.keys(latency.direct);
  const head = connections.map((count) => `${count} connections, p50 / p99 µs`);
  const direct = latency.direct[1].p50Us;
  return [
    `| 1 KiB GET | added to direct µs, 1 connection | ${head.join(' | ')} |`,
    `|---|--:|${'--:|'.repeat(connections.length)}`,
    ...Object.entries(latency).map(([target, of]) => {
      const added = target === 'direct' ? '' : number(of[1].p50Us - direct);
      const cells = connections.map((count) => `${number(of[count].p50Us)} / ${number(of[count].p99Us)}`);
      return `| ${[target, added, ...cells].join(' | ')} |`;
    }),
  ];
}

function caseRow(name, bytes, target, { perSecond, cpuUs, ratio, floorRatio, basis, wrongRounds, ...busy }) {
  const isProxy = target !== 'direct';
  const cells = [
    name,
    wrongRounds === 0 ? target : `${target} (**${wrongRounds} rounds wrong**)`,
    `${number(perSecond.median)} (${number(perSecond.min)}–${number(perSecond.max)})`,
    isProxy ? number(cpuUs.median) : '',
    isProxy && bytes >= 1024 ** 2 ? number((cpuUs.median / 1000) * (1024 ** 3 / bytes)) : '',
    ratio === undefined ? '' : ratio.toFixed(2),
    basis ?? '',
    floorRatio === undefined ? '' : floorRatio.toFixed(2),
    `${percent(busy.proxyBusy.median)} / ${percent(busy.loadBusy.median)}`,
  ];
  return `| ${cells.join(' | ')} |`;
}

function number(value) {
  return value >= 100 ? String(Math.round(value)) : value.toPrecision(3);
}

function percent(share) {
  return `${Math.round(share * 100)} %`;
}
