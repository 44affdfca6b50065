"""File systems of a test's own, small ones and ones that break. Where they cannot be mounted, the test is skipped."""
import contextlib
import fcntl
import os
import pathlib
import shutil
import struct
import subprocess

import pytest

from weir import wait_for

EXT4_IOC_SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32)
NO_LOG_FLUSH = 2  # what stands in the file system's own log, unwritten, is lost as well


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise OSError(f"{command[0]}: {done.stderr.strip()}")


@contextlib.contextmanager
def small_volume(path, options):
    """A tmpfs at `path`, which is made; its mount options are those of mount(8): size=, nr_inodes=."""
    path.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", path]).returncode != 0:
        pytest.skip("cannot mount a small volume here")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", path])


def fill(path):
    """Takes all room that is left, in a file that is answered: unlink it to give the room back."""
    ballast = path / "ballast"
    with open(ballast, "wb", buffering=0) as f:
        with contextlib.suppress(OSError):
            while True:
                f.write(b"\0" * 65536)
    return ballast


class Volume:
    """An ext4 of its own in a file, which can lose its power, or turn read-only. As a context manager it is mounted, and
    unmounted at the end."""

    def __init__(self, directory, image=None):
        if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
            pytest.skip("needs root and mkfs.ext4")
        self.image, self.path = image or directory / "image", directory / "volume"
        self.path.mkdir()
        with open(self.image, "wb") as f:
            f.truncate(1 << 30)
        run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(self.image))

    def __enter__(self):
        try:
            self.mount()
        except OSError as error:
            pytest.skip(f"cannot mount a file here: {error}")
        return self

    def __exit__(self, *_):
        self.abandon()

    def mount(self):
        run("mount", "-o", "loop,errors=remount-ro", str(self.image), str(self.path))

    def cut(self):
        """The power goes: what was not synced is forgotten."""
        directory = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(directory, EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(directory)

    def turn_read_only(self):
        """The kernel finds an error in the file system, and from then on takes no more writes, also in open files."""
        device = os.stat(self.path).st_dev
        name = pathlib.Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}").resolve().name
        trigger = pathlib.Path("/sys/fs/ext4") / name / "trigger_fs_error"
        try:
            trigger.write_text("1")
        except OSError as error:
            pytest.skip(f"cannot make a file system fail here: {error}")
        wait_for(self.is_read_only, "the volume is read-only")

    def is_read_only(self):
        try:
            (self.path / "probe").touch()
        except OSError:
            return True
        return False

    def repair(self):
        """Of the unmounted volume, as a start of the machine does."""
        wait_for(lambda: subprocess.run(["e2fsck", "-fp", str(self.image)], capture_output=True).returncode in (0, 1),
                 "the file system is sound")

    def unmount(self):
        wait_for(lambda: subprocess.run(["umount", str(self.path)], capture_output=True).returncode == 0 or
                 not os.path.ismount(self.path), "the volume can be unmounted")

    def abandon(self):
        """Takes it out of sight, whoever still uses it."""
        subprocess.run(["umount", "-l", str(self.path)], capture_output=True)
