import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];

/** Where a certificate and its key are. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Certificates that sign themselves, in a directory of their own. */
export class Certificates {
  readonly #directory = mkdtempSync(join(tmpdir(), 'certificates-'));

  /** For 127.0.0.1. */
  make(name: string): Certificate {
    const [cert, key] = [this.#path(`${name}.pem`), this.#path(`${name}-key.pem`)];
    const request = 'req -x509 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1';
    openssl([...request.split(' '), ...NEW_KEY, '-keyout', key, '-out', cert]);
    return { cert, key };
  }

  /** A file by which all of these are trusted. */
  trusting(...certificates: readonly Certificate[]): string {
    const file = this.#path('trusted.pem');
    writeFileSync(file, certificates.map(({ cert }) => readFileSync(cert, 'utf8')).join(''));
    return file;
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true });
  }

  #path(name: string): string {
    return join(this.#directory, name);
  }
}

function openssl(args: readonly string[]): void {
  try {
    execFileSync('openssl', args, { stdio: 'pipe' });
  } catch (cause) {
    throw new Error('Certificates are made by the openssl program, which is missing or failed', { cause });
  }
}
