/** `npm run deb`: the Debian package `dist/waybill_VERSION_ARCHITECTURE.deb`, with the packages of others that it needs; Node comes from Debian. */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { developmentCommand } from './development-command.ts';
import { manifest, outputFolder, packageFolder, packagingFolder, run, stagePackage } from './stage.ts';

/** Where the files lie as they will in the system. */
const treeFolder = join(outputFolder, 'debian');

function copyInto(source: string, place: string): void {
  const target = join(treeFolder, place);
  mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
  cpSync(source, target, { recursive: true });
}

function controlFiles(version: string, architecture: string): void {
  const folder = join(treeFolder, 'DEBIAN');
  mkdirSync(folder, { recursive: true });
  const control = readFileSync(join(packagingFolder, 'debian', 'control'), 'utf8');
  writeFileSync(join(folder, 'control'), control.replace('@VERSION@', version).replace('@ARCHITECTURE@', architecture));
  for (const script of ['postinst', 'postrm']) {
    cpSync(join(packagingFolder, 'debian', script), join(folder, script));
    chmodSync(join(folder, script), 0o755);
  }
}

developmentCommand('npm run deb', 'The Debian package dist/waybill_VERSION_ARCHITECTURE.deb.').parse();
process.umask(0o022);
rmSync(treeFolder, { recursive: true, force: true });
stagePackage();
copyInto(packageFolder, 'usr/lib/waybill');
run('npm', ['ci', '--omit=dev', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'], join(treeFolder, 'usr/lib/waybill'));
mkdirSync(join(treeFolder, 'usr/bin'));
symlinkSync('../lib/waybill/shared/bootstrap/command.mjs', join(treeFolder, 'usr/bin/waybill'));
copyInto(join(packagingFolder, 'systemd'), 'usr/lib/systemd/system');
copyInto(join(packagingFolder, 'debian', 'waybill.sysusers'), 'usr/lib/sysusers.d/waybill.conf');
copyInto(join(packagingFolder, 'debian', 'waybill.tmpfiles'), 'usr/lib/tmpfiles.d/waybill.conf');
copyInto(join(packagingFolder, '..', 'README.md'), 'usr/share/doc/waybill/README.md');
const architecture = execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim();
controlFiles(manifest().version, architecture);
run('dpkg-deb', ['--root-owner-group', '-Zxz', '-z1', '--build', treeFolder, outputFolder]);
