import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { chromium, type Browser } from 'playwright-core';

const execute = promisify(execFile);

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/**
 * A headless browser of this machine.
 * @throws {Error} one line that says what to install, where that cannot be done by the package manager
 */
export async function startChromium(): Promise<Browser> {
  const program = (await installed()) ?? (await install());
  const { stdout } = await execute('sh', ['-c', 'command -v "$0"', program]);
  // Containers let nobody make the namespaces of its sandbox, and have little shared memory.
  const args = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];
  return chromium.launch({ executablePath: stdout.trim(), args });
}

async function installed(): Promise<string | undefined> {
  for (const program of PROGRAMS) {
    const runs = await execute(program, ['--version']).then(
      () => true,
      () => false,
    );
    if (runs) return program;
  }
  return undefined;
}

async function install(): Promise<string> {
  const refusals: string[] = [];
  for (const attempt of [installWithApt, installWithBrew]) {
    await attempt().catch((error: Error) => refusals.push(lastLineOf(error)));
    const program = await installed();
    if (program !== undefined) return program;
  }
  throw new Error(`This test needs a browser: install chromium (${refusals.join('; ')})`);
}

async function installWithApt(): Promise<void> {
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  const [command = '', ...prefix] = [...sudo, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get'];
  const apt = (...args: string[]) =>
    execute(command, [...prefix, '-o', 'DPkg::Lock::Timeout=120', ...args], { maxBuffer: 64 * 1_048_576 });
  const installChromium = () => apt('install', '-y', '--no-install-recommends', 'chromium');
  await installChromium().catch(async () => {
    await apt('update');
    await installChromium();
  });
}

async function installWithBrew(): Promise<void> {
  await execute('brew', ['install', '--cask', 'chromium']);
}

function lastLineOf({ message, stderr = '' }: Error & { stderr?: string }): string {
  return (stderr || message).trim().split('\n').at(-1) ?? '';
}
