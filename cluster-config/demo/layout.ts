/** The demo cluster on paper: its nodes, its fixed ports and where everything lies in its data folder. */
import { join } from 'node:path';

/** The highest base that keeps every port below 32768, where Linux begins to give ports away by itself. */
export const highestPortBase = 10_700;
export const lowestPortBase = 1024;

export const demoDomain = 'example.com';
export const demoBaseDn = 'dc=example,dc=com';
export const demoAdminDn = `cn=admin,${demoBaseDn}`;
/** Everybody's password in the demo; the demo listens on this machine only. */
export const demoPassword = 'waybill-demo';
/** Who administers the cluster, with the same password. */
export const demoAdministrator = 'admin';
export const demoUsers = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi', 'ivan', 'judy'] as const;

const backendNames = ['be1', 'be2'] as const;

/** The back-end of the user at this place in the list: alternately the first and the second. */
export function backendOfUser(index: number): string {
  return backendNames[index % 2] ?? 'be1';
}

export interface DemoFrontend {
  readonly role: 'frontend';
  readonly name: string;
  readonly ports: Readonly<Record<'smtp' | 'submission' | 'submissions' | 'imap' | 'imaps' | 'pop3' | 'pop3s' | 'https' | 'admin', number>>;
}

export interface DemoBackend {
  readonly role: 'backend';
  readonly name: string;
  readonly ports: Readonly<Record<'lmtp' | 'smtp' | 'submissions' | 'imap' | 'imaps' | 'pop3' | 'pop3s' | 'https' | 'admin', number>>;
}

export interface DemoLayout {
  readonly portBase: number;
  readonly folder: string;
  readonly configFile: string;
  readonly frontends: readonly DemoFrontend[];
  readonly backends: readonly DemoBackend[];
  readonly directory: { readonly ldap: number; readonly ldaps: number; readonly file: string };
  /** Absolute names of files and folders, by what they hold. */
  readonly files: {
    readonly marker: string;
    readonly authority: CertificateFiles;
    readonly server: CertificateFiles;
    readonly node: (name: string) => CertificateFiles;
    readonly cookieSecret: string;
    readonly readerPassword: string;
    readonly adminPassword: string;
    /** The hash of the password of the administrator `demoAdministrator`. */
    readonly administratorHash: string;
    readonly audit: (node: string) => string;
    readonly storage: (node: string) => string;
    readonly log: (name: string) => string;
  };
}

export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

/** Lays the demo out for a data folder (absolute) and a port base; tests may have a third back-end. */
export function demoLayout(folder: string, portBase: number, backends: 2 | 3 = 2): DemoLayout {
  const pair = (name: string): CertificateFiles => ({ certificate: join(folder, 'tls', `${name}.pem`), key: join(folder, 'tls', `${name}-key.pem`) });
  return {
    portBase,
    folder,
    configFile: join(folder, 'waybill.yaml'),
    frontends: [frontend('fe1', portBase), frontend('fe2', portBase + 10_000)],
    backends: [backend('be1', portBase + 20_000), backend('be2', portBase + 21_000), backend('be3', portBase + 11_000)].slice(0, backends),
    directory: { ldap: portBase + 389, ldaps: portBase + 636, file: join(folder, 'directory', 'directory.ldif') },
    files: {
      marker: join(folder, 'demo.json'),
      authority: pair('authority'),
      server: pair('server'),
      node: pair,
      cookieSecret: join(folder, 'secrets', 'cookie'),
      readerPassword: join(folder, 'secrets', 'directory-reader'),
      adminPassword: join(folder, 'secrets', 'directory-admin'),
      administratorHash: join(folder, 'secrets', 'administrator'),
      audit: (node) => join(folder, 'audit', `${node}.log`),
      storage: (node) => join(folder, node),
      log: (name) => join(folder, 'log', `${name}.log`),
    },
  };
}

function frontend(name: string, base: number): DemoFrontend {
  return {
    role: 'frontend',
    name,
    ports: {
      smtp: base + 25, submission: base + 587, submissions: base + 465, imap: base + 143, imaps: base + 993,
      pop3: base + 110, pop3s: base + 995, https: base + 443, admin: base + 900,
    },
  };
}

function backend(name: string, base: number): DemoBackend {
  return {
    role: 'backend',
    name,
    ports: {
      lmtp: base + 24, smtp: base + 25, submissions: base + 465, imap: base + 143, imaps: base + 993,
      pop3: base + 110, pop3s: base + 995, https: base + 443, admin: base + 900,
    },
  };
}
