// The process of one contender: gets ready, and makes a round whenever it is told to. What goes wrong is told, and ends it.
import process from 'node:process';

const [suiteUrl, scenarioName, contenderName, context] = process.argv.slice(2);

const tell = (message) => new Promise((sent) => process.send(message, sent));

async function fail(error) {
  await tell({ failure: error.stack ?? String(error) });
  process.exit(1);
}

process.on('unhandledRejection', fail);
process.on('uncaughtException', fail);

const { default: suite } = await import(suiteUrl);
const scenario = suite.scenarios.find(({ name }) => name === scenarioName);
const round = await suite.contenders[contenderName].open(scenario, JSON.parse(context));

process.on('message', async () => {
  const cpuBefore = process.cpuUsage();
  const figures = await round();
  const { user, system } = process.cpuUsage(cpuBefore);
  const peakMb = process.resourceUsage().maxRSS / 1_024;
  await tell({ figures: { cpuMs: (user + system) / 1_000, peakMb, ...figures } });
});
await tell({ ready: true });
