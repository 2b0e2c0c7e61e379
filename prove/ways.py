"""Every way in which programs save a file: the programs themselves, as far as they are installed, and their like.

A way is given a file and the text that it is to hold; an editor that cannot be given a text adds the last line itself.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import pty
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

Save = Callable[[Path, str], None]


class Refused(Exception):
    """The program did not save, because the file had changed below it: a person would do it again."""


@dataclass(frozen=True, slots=True)
class Way:
    """``save`` needs the program ``needs``. ``keeps`` says that it keeps the file's mode.

    ``alone``: it puts back every file that changed meanwhile, which is what it is for; so no row changes with it.
    """

    name: str
    save: Save
    needs: str | None = None
    keeps: bool = True
    alone: bool = False


def _run(*arguments: str, given: str | None = None, cwd: Path | None = None) -> None:
    try:
        done = subprocess.run(
            arguments, input=given or "", text=True, capture_output=True, timeout=15, check=False, cwd=cwd
        )
    except subprocess.TimeoutExpired as late:
        raise Refused(f"{arguments[0]} asks something, or hangs") from late
    if done.returncode != 0:
        raise Refused(f"{arguments[0]} ended with {done.returncode}: {done.stderr[-200:]}")


def last_line(text: str) -> str:
    """The line that an editor adds."""
    return text.rstrip("\n").rsplit("\n", 1)[-1]


def _program(*arguments: str, given: str | None = None) -> Save:
    """A command; ``{file}`` and ``{line}`` stand for the file and its new last line, ``{new}`` for a file beside the
    bank that holds the whole new text."""

    def save(file: Path, text: str) -> None:
        with tempfile.TemporaryDirectory(prefix="way-", dir=file.parents[2]) as folder:
            new = Path(folder) / file.name
            new.write_text(text)
            words = {"file": str(file), "line": last_line(text), "new": str(new), "name": file.name}
            _run(*(a.format(**words) for a in arguments), given=given and given.format(**words), cwd=file.parent)

    return save


def _shell(script: str) -> Save:
    """A shell script with ``$1`` the file, ``$2`` a file with the new text, ``$3`` the new last line."""
    return _program("sh", "-ec", script, "sh", "{file}", "{new}", "{line}")


def _python(script: str) -> Save:
    head = "import sys, os, mmap, tempfile\nfile, new = sys.argv[1:3]\ntext = open(new, 'rb').read()\n"
    return _program(sys.executable, "-c", (head + script).replace("{", "{{").replace("}", "}}"), "{file}", "{new}")


def _node(script: str) -> Save:
    head = "const fs = require('fs'); const [file, from] = process.argv.slice(1); const text = fs.readFileSync(from);"
    return _program("node", "-e", (head + script).replace("{", "{{").replace("}", "}}"), "{file}", "{new}")


def _keys(arguments: Sequence[str], *keys: str) -> Save:
    """An editor in a terminal; ``keys`` are typed one by one, each when the screen has come to rest."""

    def save(file: Path, text: str) -> None:
        child, screen = pty.fork()
        if child == 0:
            os.environ.update(TERM="xterm", LINES="24", COLUMNS="80")
            os.chdir(file.parent)
            os.execvp(arguments[0], [a.format(file=file) for a in arguments])
        try:
            select.select([screen], [], [], 10.0)  # it draws something first
            for key in keys:
                _rest(screen)
                os.write(screen, key.format(line=last_line(text)).encode())
            _rest(screen)
        finally:
            _end(child, screen)
        if last_line(text).encode() not in file.read_bytes():  # it asks whether to overwrite what changed meanwhile
            raise Refused(f"{arguments[0]} did not save")

    return save


def _rest(screen: int) -> None:
    """Read what the editor draws until it draws no more."""
    end = time.monotonic() + 5
    while time.monotonic() < end and select.select([screen], [], [], 0.35)[0]:
        try:
            if not os.read(screen, 65536):
                return
        except OSError:
            return


def _end(child: int, screen: int) -> None:
    end = time.monotonic() + 3
    while time.monotonic() < end:
        if os.waitpid(child, os.WNOHANG)[0]:
            break
        _rest(screen)
    else:
        os.kill(child, 9)
        os.waitpid(child, 0)
    os.close(screen)


# -- the classes, by hand ---------------------------------------------------------------------------------------------


def in_place(file: Path, text: str) -> None:
    """nano, VS Code, Obsidian, a shell's `>`."""
    file.write_text(text)


def slowly(file: Path, text: str) -> None:
    """Truncated, then written in pieces: what stands there meanwhile is no text of anybody's."""
    with file.open("w") as out:
        third = len(text) // 3 + 1
        for start in range(0, len(text), third):
            out.write(text[start : start + third])
            out.flush()
            time.sleep(0.12)


def away_and_create(file: Path, text: str) -> None:
    """vim, emacs: the old file is renamed, a new one written under its name."""
    backup, mode = file.with_name(file.name + "~"), file.stat().st_mode
    file.rename(backup)
    time.sleep(0.05)
    with file.open("w") as out:
        os.fchmod(out.fileno(), mode & 0o7777)
        out.write(text[: len(text) // 2])
        out.flush()
        time.sleep(0.05)
        out.write(text[len(text) // 2 :])
    backup.unlink()


def away_and_rename_in(file: Path, text: str) -> None:
    """JetBrains' safe write, `sed -i.bak`."""
    new, old = file.with_name(file.name + "~jb_tmp~"), file.with_name(file.name + "~jb_old~")
    new.write_text(text)
    new.chmod(file.stat().st_mode & 0o7777)
    file.rename(old)
    time.sleep(0.05)
    new.rename(file)
    old.unlink()


def delete_and_create(file: Path, text: str) -> None:
    """git, install, cp --remove-destination."""
    file.unlink()
    time.sleep(0.05)
    file.write_text(text)


def rename_in(file: Path, text: str) -> None:
    """write-file-atomic, most assistants."""
    new = file.with_name(file.name + ".tmp.123")
    new.write_text(text)
    new.replace(file)


def syncthing(file: Path, text: str) -> None:
    """syncthing and its like: a hidden name first."""
    new = file.with_name(f".syncthing.{file.name}.tmp")
    new.write_text(text)
    new.replace(file)


def traded(file: Path, text: str) -> None:
    """Names exchanged in one step."""
    new = file.with_name(f".{file.name}.new")
    new.write_text(text)
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None or renameat2(-100, os.fsencode(new), -100, os.fsencode(file), 2) != 0:
        new.replace(file)
        return
    new.unlink()


def touched_first(file: Path, text: str) -> None:
    """gio, micro: the first event comes with the old content."""
    file.touch()
    time.sleep(0.02)
    file.write_text(text)


def mapped(file: Path, text: str) -> None:
    """Through a memory map whose file is closed: no event for the writing itself."""
    data = text.encode()
    with file.open("r+b") as out:
        out.truncate(len(data))
        shared = mmap.mmap(out.fileno(), len(data))
    shared[:] = data
    time.sleep(0.05)
    shared.close()


def linked(file: Path, text: str) -> None:
    """A link to a new file, in the place of the removed one."""
    new = file.with_name("t")
    new.write_text(text)
    file.unlink()
    os.link(new, file)
    new.unlink()


# -- git --------------------------------------------------------------------------------------------------------------


def _git(*arguments: str, cwd: Path, given: str | None = None) -> str:
    who = {f"GIT_{role}_{what}": "a@b.c" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    done = subprocess.run(
        ["git", "-c", "advice.detachedHead=false", *arguments], cwd=cwd, text=True, capture_output=True, input=given,
        env={**os.environ, **who, "GIT_EDITOR": "true"}, timeout=60, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise Refused(f"git {arguments[0]}: {done.stderr[-300:]}")
    return done.stdout.strip()


def _commit(root: Path) -> None:
    if not (root / ".git").exists():
        _git("init", "-q", "-b", "main", cwd=root)
        (root / ".git" / "info" / "exclude").write_text(".syncd/\n*.bak\n*~\n")
    _git("add", "-A", cwd=root)
    _git("commit", "-q", "--allow-empty", "-m", "state", cwd=root)


def _other(file: Path, text: str, parent: str = "HEAD") -> str:
    """A commit beside the work tree in which the file holds the text."""
    root = file.parents[1]
    blob = _git("hash-object", "-w", "--stdin", cwd=root, given=text)
    path, mode = str(file.relative_to(root)), "100644"
    entries = _git("ls-tree", "-r", parent, cwd=root).splitlines()
    lines = [f"{mode} blob {blob}\t{path}" if e.endswith(f"\t{path}") else e for e in entries]
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "GIT_INDEX_FILE": f"{folder}/index"}
        subprocess.run(["git", "update-index", "--index-info"], cwd=root, env=environment, check=True, text=True,
                       input="\n".join(lines) + "\n", capture_output=True)  # fmt: skip
        tree = subprocess.run(["git", "write-tree"], cwd=root, env=environment, check=True, text=True,
                              capture_output=True).stdout.strip()  # fmt: skip
    return _git("commit-tree", tree, "-p", parent, "-m", "edited", cwd=root)


def _by_git(*arguments: str) -> Save:
    """A git command; ``{other}`` stands for a commit in which the file holds the new text."""

    def save(file: Path, text: str) -> None:
        root = file.parents[1]
        _commit(root)
        other = _other(file, text)
        _git(*(a.format(other=other, file=file.relative_to(root)) for a in arguments), cwd=root)

    return save


def _stashed(file: Path, text: str) -> None:
    root = file.parents[1]
    _commit(root)
    file.write_text(text)
    _git("stash", "-q", cwd=root)
    time.sleep(0.05)
    _git("stash", "pop", "-q", cwd=root)


def _rebased(file: Path, text: str) -> None:
    """A commit and another behind it, moved onto a third."""
    root = file.parents[1]
    _commit(root)
    upstream = _other(root / "tasks" / "T1.md", (root / "tasks" / "T1.md").read_text() + "\nSaid upstream.\n")
    one = _other(file, text + "\nOne more.\n")
    two = _other(file, text, one)
    _git("checkout", "-q", two, cwd=root)
    _git("rebase", "-q", upstream, cwd=root)


def _merged(file: Path, text: str) -> None:
    root = file.parents[1]
    _commit(root)
    other = _other(file, text)
    (root / "tasks" / "T2.md").write_text((root / "tasks" / "T2.md").read_text() + "\nSaid here.\n")
    _git("commit", "-qam", "here", cwd=root)
    _git("merge", "-q", "--no-ff", "-m", "merged", other, cwd=root)


def _patched(file: Path, text: str) -> None:
    with tempfile.TemporaryDirectory(dir=file.parents[2]) as folder:
        new = Path(folder) / "new"
        new.write_text(text)
        diff = subprocess.run(["diff", "-u", str(file), str(new)], capture_output=True, text=True, check=False).stdout
        _run("patch", "-s", "--no-backup-if-mismatch", "-r", "-", str(file), given=diff)


_LISP = '(progn (goto-char (point-max)) (insert "\n{line}\n") (save-buffer))'


def _emacs(*settings: str) -> Save:
    return _program("emacs", "--batch", "-Q", *(a for s in settings for a in ("--eval", s)), "{file}", "--eval", _LISP)


def _vim(program: str, *settings: str) -> Save:
    start = ["-es", "-u", "NONE"] if program == "vim" else ["--headless", "-n", "-u", "NONE"]
    sets = [a for s in settings for a in ("-c", f"set {s}")]
    return _program(program, *start, *sets, "-c", "$put =''", "-c", "$put ='{line}'", "-c", "wq", "{file}")


_ADD = "\x1b[1;5F\r{line}\r"  # control and End, then the line

WAYS: tuple[Way, ...] = (
    *(Way(f"{save.__name__}, by hand", save) for save in
      (in_place, slowly, away_and_create, away_and_rename_in, touched_first, mapped)),
    *(Way(f"{save.__name__}, by hand", save, keeps=False) for save in
      (delete_and_create, rename_in, syncthing, traded, linked)),
    Way("vim", _vim("vim"), "vim"),
    Way("vim bkc=no", _vim("vim", "backupcopy=no"), "vim"),
    Way("vim bkc=yes", _vim("vim", "backupcopy=yes"), "vim"),
    Way("vim nowritebackup", _vim("vim", "nowritebackup"), "vim"),
    Way("vim with backup", _vim("vim", "backup", "backupcopy=no"), "vim"),
    Way("vim in a terminal", _keys(["vim", "-u", "NONE", "-N", "-n", "-T", "dumb", "{file}"], "Go{line}\x1b", ":w\r",
                                   ":q!\r"), "vim"),
    Way("ex", _program("ex", "-u", "NONE", "-s", "{file}", given="$a\n{line}\n.\nx\n"), "ex"),
    Way("neovim", _vim("nvim"), "nvim"),
    Way("neovim in a terminal", _keys(["nvim", "-u", "NONE", "-n", "{file}"], "Go{line}\x1b", ":w\r", ":q!\r"), "nvim"),
    Way("nano", _keys(["nano", "-I", "{file}"], "\x1b/", "\r{line}\r", "\x0f", "\r", "\x18"), "nano"),
    Way("nano -B", _keys(["nano", "-I", "-B", "{file}"], "\x1b/", "\r{line}\r", "\x0f", "\r", "\x18"), "nano"),
    Way("emacs", _emacs(), "emacs"),
    Way("emacs without backups", _emacs("(setq make-backup-files nil)"), "emacs"),
    Way("emacs, backup by copying", _emacs("(setq backup-by-copying t)"), "emacs"),
    Way("emacs, precious file", _emacs("(setq file-precious-flag t)"), "emacs"),
    Way("kakoune", _program("kak", "-n", "-ui", "dummy", "-e", "execute-keys 'geo{line}<esc>'; write; quit", "{file}"),
        "kak"),
    Way("kakoune, replace", _program("kak", "-n", "-ui", "dummy", "-e",
                                     "execute-keys 'geo{line}<esc>'; write -method replace; quit", "{file}"), "kak"),
    Way("micro", _keys(["micro", "{file}"], _ADD, "\x13", "\x11"), "micro"),
    Way("joe", _keys(["joe", "{file}"], "\x0b\x16", "\r{line}\r", "\x0bx"), "joe"),
    Way("mcedit", _keys(["mcedit", "{file}"], _ADD, "\x1b2", "\r", "\x1b0"), "mcedit"),
    Way("ed", _program("ed", "-s", "{file}", given="$a\n{line}\n.\nw\nq\n"), "ed"),
    Way("sed -i", _program("sed", "-i", "-e", "$a {line}", "{file}"), "sed"),
    Way("sed -i.bak", _program("sed", "-i.bak", "-e", "$a {line}", "{file}"), "sed"),
    Way("perl -pi", _program("perl", "-pi", "-e", '$_ .= "{line}\\n" if eof', "{file}"), "perl"),
    Way("perl -pi.bak", _program("perl", "-pi.bak", "-e", '$_ .= "{line}\\n" if eof', "{file}"), "perl"),
    Way("echo >>", _shell('echo "$3" >> "$1"')),
    Way("cat >", _shell('cat "$2" > "$1"')),
    Way("tee", _shell('tee "$1" < "$2" > /dev/null')),
    Way("sponge", _shell('sponge "$1" < "$2"'), "sponge", keeps=False),
    Way("awk and mv", _shell('awk 1 "$2" > "$1.new" && mv "$1.new" "$1"'), "awk", keeps=False),
    Way("mv from another folder", _shell('mv "$2" "$1"; cp "$1" "$2"'), keeps=False),
    Way("mv from another disk", _shell('t=$(mktemp -p /dev/shm); cat "$2" > $t; mv $t "$1"'), keeps=False),
    Way("cp", _shell('cp "$2" "$1"')),
    Way("cp --remove-destination", _shell('cp --remove-destination "$2" "$1"'), keeps=False),
    Way("install", _shell('install -m 644 "$2" "$1"'), "install", keeps=False),
    Way("rsync", _program("rsync", "-t", "{new}", "{file}"), "rsync", keeps=False),
    Way("rsync --inplace", _program("rsync", "-t", "--inplace", "{new}", "{file}"), "rsync", keeps=False),
    Way("patch", _patched, "patch"),
    Way("gio save", _shell('gio save "$1" < "$2"'), "gio"),
    Way("gio save -b", _shell('gio save -b "$1" < "$2"'), "gio"),
    Way("rm and create", _shell('rm "$1"; cat "$2" > "$1"'), keeps=False),
    Way("python open", _python("out = open(file, 'wb'); out.write(text[:9]); out.flush(); out.write(text[9:])")),
    Way("python r+", _python("out = open(file, 'r+b'); out.seek(0); out.write(text); out.truncate()")),
    Way("python tempfile", _python("n, t = tempfile.mkstemp(dir=os.path.dirname(file)); os.write(n, text); "
                                   "os.replace(t, file)"), keeps=False),
    Way("python mmap", _python("out = open(file, 'r+b'); out.truncate(len(text)); "
                               "mmap.mmap(out.fileno(), len(text))[:] = text")),
    Way("node writeFileSync", _node("fs.writeFileSync(file, text)"), "node"),
    Way("node promises.writeFile", _node("fs.promises.writeFile(file, text)"), "node"),
    Way("node createWriteStream", _node("const s = fs.createWriteStream(file); s.write(text.subarray(0, 9)); "
                                        "s.end(text.subarray(9))"), "node"),
    Way("node write and rename", _node("fs.writeFileSync(file + '.tmp.1', text); fs.renameSync(file + '.tmp.1', file)"),
        "node", keeps=False),
    Way("git checkout", _by_git("checkout", "-q", "{other}"), "git", keeps=False),
    Way("git restore", _by_git("restore", "--source={other}", "--", "{file}"), "git", keeps=False),
    Way("git reset --hard", _by_git("reset", "-q", "--hard", "{other}"), "git", keeps=False, alone=True),
    Way("git cherry-pick", _by_git("cherry-pick", "{other}"), "git", keeps=False),
    Way("git stash, pop", _stashed, "git", keeps=False, alone=True),
    Way("git rebase", _rebased, "git", keeps=False),
    Way("git merge", _merged, "git", keeps=False),
)  # fmt: skip
"""In the order in which they are tried. Those with ``shutil.which(way.needs)`` None are left out, and told."""


def installed(way: Way) -> bool:
    """Whether its program is here."""
    return way.needs is None or shutil.which(way.needs) is not None
