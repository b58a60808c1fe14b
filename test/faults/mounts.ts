// File systems for fault tests: a small one that fills up, a read-only one, and a real ext4 in an image file whose power
// can be cut and whose device can be made to fail. Needs root and Linux; elsewhere the tests are skipped and say why.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Why there can be no mounts here; null: there can. Tried, not guessed: containers differ. */
export function whyNoMounts(kind: 'tmpfs' | 'ext4'): string | null {
  if (process.platform !== 'linux') return 'mounts are tested on Linux';
  if (process.getuid?.() !== 0) return 'mounting needs root';
  const folder = mkdtempSync(join(tmpdir(), 'jobrec-mount-'));
  try {
    const mount = kind === 'tmpfs' ? mountSmall(folder, 64) : PowerDisk.create(folder, 'data=ordered');
    mount.unmount();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export interface Mount {
  readonly folder: string;
  unmount(): void;
}

export interface SmallMount extends Mount {
  resize(kilobytes: number): void;
}

/** Mounts an empty file system of so many kilobytes over `folder`. */
export function mountSmall(folder: string, kilobytes: number): SmallMount {
  system('mount', '-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'none', folder);
  return {
    folder,
    resize: (size) => system('mount', '-o', `remount,size=${size}k`, folder),
    unmount: () => unmount(folder),
  };
}

/** Shows `folder` to everybody as a read-only file system. */
export function mountReadOnly(folder: string): Mount {
  system('mount', '--bind', folder, folder);
  system('mount', '-o', 'remount,bind,ro', folder);
  return { folder, unmount: () => unmount(folder) };
}

const imageBytes = 96 * 1024 * 1024;
/** ext4 commits its journal by itself after so many seconds: only what is synced survives. */
const commitSeconds = 300;

/** An ext4 file system in an image file: what was not synced is not in the image. */
export class PowerDisk implements Mount {
  readonly folder: string;
  readonly #image: string;
  readonly #options: string;

  private constructor(folder: string, image: string, options: string) {
    this.folder = folder;
    this.#image = image;
    this.#options = options;
  }

  /** `data`: ext4's `data=ordered` or `data=writeback`, which also lets file contents be lost behind their names. */
  static create(folder: string, data: string): PowerDisk {
    const image = `${folder}.image`;
    writeFileSync(image, '');
    truncateSync(image, imageBytes);
    try {
      system('mkfs.ext4', '-q', '-F', image);
      const disk = new PowerDisk(folder, image, `${data},commit=${commitSeconds},noauto_da_alloc,errors=remount-ro`);
      disk.#mount();
      return disk;
    } catch (error) {
      rmSync(image, { force: true });
      throw error;
    }
  }

  /** Keeps what the device holds now, as if the power had failed. Nobody may be writing. */
  keepDurable(): string {
    const kept = `${this.#image}.kept`;
    system('cp', '--sparse=always', this.#image, kept);
    return kept;
  }

  /** Goes on with what was kept; nobody may have anything open. */
  powerOn(kept: string): void {
    unmount(this.folder);
    system('mv', kept, this.#image);
    this.#mount();
  }

  /** From here on the device takes nothing more: the kernel turns the file system read-only. */
  turnReadOnly(): void {
    const { stdout } = system('findmnt', '-no', 'SOURCE', this.folder);
    writeFileSync(`/sys/fs/ext4/${stdout.trim().replace('/dev/', '')}/trigger_fs_error`, '1');
  }

  repair(): void {
    unmount(this.folder);
    // Exit 1: it repaired something, as it should.
    const { status, stderr } = spawnSync('e2fsck', ['-fp', this.#image], { encoding: 'utf8' });
    if (status === null || status > 1) throw new Error(`e2fsck: ${stderr}`);
    this.#mount();
  }

  unmount(): void {
    unmount(this.folder);
    rmSync(this.#image, { force: true });
    rmSync(`${this.#image}.kept`, { force: true });
  }

  #mount(): void {
    system('mount', '-o', `loop,${this.#options}`, this.#image, this.folder);
    if (statSync(this.folder).dev === statSync(join(this.folder, '..')).dev) throw new Error('nothing is mounted');
  }
}

function unmount(folder: string): void {
  for (let tries = 0; tries < 50; tries += 1) {
    if (spawnSync('umount', [folder]).status === 0) return;
    spawnSync('sleep', ['0.1']);
  }
  system('umount', '-l', folder);
}

function system(command: string, ...args: string[]): { readonly stdout: string } {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status === 0) return { stdout };
  throw new Error(`${command} ${args.join(' ')} failed: ${(error?.message ?? stderr).trim()}`);
}
