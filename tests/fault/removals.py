"""The protections that tests were seen to miss: where each stands, and what it is without it.

`protections.py` takes one out at a time and runs the tests named; the table cannot rot, since
`tests/static/test_protections.py` looks whether every piece is still where it is said to be.
"""

from __future__ import annotations

from dataclasses import dataclass

LISTS, STATE = "tests/fault/test_hostile_lists.py", "tests/fault/test_hostile_state.py"
FILES, HOLDS = "tests/fault/test_hostile_files.py", "tests/fault/test_hostile_guard.py"
SECRETS, NETWORK = "tests/fault/test_hostile_secrets.py", "tests/fault/test_hostile_network.py"
WORDS, NAMES = "tests/fault/test_hostile_words.py", "tests/fault/test_cycle_names.py"
REFUSED, SHOWN = "tests/fault/test_cycle_refusals.py", "tests/fault/test_cycle_lists.py"
FAULTS, PLAN = "tests/fault/test_cycle_faults.py", "tests/fault/test_cycle_guard.py"
FOUND = "tests/property/test_simulation_found.py"


@dataclass(frozen=True)
class Edit:
    """A piece of a file of syncd, and what stands there without the protection."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Removal:
    """A protection; where several stand in a row, all of them are taken out at once."""

    what: str
    tests: str
    """pytest's names for them, separated by spaces."""
    edits: tuple[Edit, ...]


def without(what: str, tests: str, *pieces: str) -> Removal:
    """`pieces`: file, old, new, and so on."""
    threes = zip(pieces[::3], pieces[1::3], pieces[2::3], strict=True)
    return Removal(what, tests, tuple(Edit(*three) for three in threes))


ANSWERS = (
    without(
        "a list without items is no empty task",
        f"{LISTS}::test_it_is_no_empty_task_on_the_first_run_either",
        "focus/answers.py",
        'raise _Strange("it holds no list of items")',
        "items = []",
    ),
    without(
        "what is no JSON is no answer",
        f"{LISTS}::test_it_is_no_empty_task_on_the_first_run_either",
        "focus/answers.py",
        'raise _Strange("it is no JSON") from None',
        'return {"items": []}',
    ),
    without(
        "an answer that breaks off is no answer",
        f"{LISTS}::test_nor_is_one_that_breaks_off",
        "focus/client.py",
        "if status == 200 and answer.cut:",
        "if False:",
        "focus/answers.py",
        'raise _Strange("it is no JSON") from None',
        'return {"items": []}',
    ),
    without(
        "values of the wrong type make all of a list unbelievable",
        "tests/unit/test_focus_list.py",
        "focus/answers.py",
        "if not isinstance(value, int) or isinstance(value, bool) or not -_BIG <= value < _BIG:",
        "if value is None:",
    ),
    without(
        "an answer is read up to a bound",
        f"{LISTS}::test_the_commands_that_read_say_so_too",
        "focus/transport.py",
        "if size > ANSWER_LIMIT:",
        "if False:",
    ),
    without(
        "JSON nested without end is no crash",
        f"{LISTS}::test_the_commands_that_read_say_so_too",
        "focus/answers.py",
        "except (ValueError, RecursionError):",
        "except ValueError:",
    ),
    without(
        "`view` is asked before a list that misses ours is believed",
        f"{LISTS}::test_an_empty_list_is_believed_only_if_view_says_so",
        "engine/look.py",
        "for entry in lacking[:VIEWS]:",
        "for entry in ():",
    ),
    without(
        "`view` with deleted_at set means gone",
        f"{LISTS}::test_an_empty_list_is_believed_only_if_view_says_so",
        "focus/answers.py",
        "return None if deleted else row",
        "return row",
    ),
    without(
        "a task that is gone is the folder's error",
        f"{LISTS}::test_a_task_that_is_gone_and_comes_back_is_what_it_was",
        "focus/verdicts.py",
        "    404: TaskRefused,\n",
        "    404: Doubtful,\n",
    ),
    without(
        "what was gone is known when the task comes back",
        f"{LISTS}::test_a_task_that_is_gone_and_comes_back_is_what_it_was",
        "core/books.py",
        "for e in _revived(past.entries, shown, now)",
        "for e in past.entries",
    ),
)

REFUSALS = (
    without(
        "a refused bulk is split",
        f"{REFUSED}::test_one_refused_file_in_a_bulk_is_found_with_at_most_eight_requests",
        "engine/refusals.py",
        "return tuple(suspects[: max(len(suspects) // 2, 1)])",
        "return tuple(suspects)",
    ),
    without(
        "splitting takes eight requests at most",
        f"{REFUSED}::test_several_take_more_runs_and_never_more_than_eight_requests_each",
        "engine/refusals.py",
        "return self._spent is None or self._spent < REQUESTS - 1",
        "return True",
    ),
    without(
        "where all are refused alike it is the folder's error",
        f"{REFUSED}::test_where_all_are_refused_alike_the_folder_is_in_error_not_the_files",
        "engine/refusals.py",
        "if self.any_accepted or len(self._found) < max(tries, 2):",
        "if True:",
    ),
    without(
        "413 is a refusal of the files",
        f"{REFUSED}::test_too_large_a_batch_is_split_until_it_fits",
        "focus/verdicts.py",
        "    401: KeyRefused,\n",
        "    401: KeyRefused,\n    413: TaskRefused,\n",
    ),
    without(
        "a refused file waits",
        f"{REFUSED}::test_a_refused_file_is_tried_again_after_delays_that_double_up_to_a_day",
        "engine/refusals.py",
        "until = now + refusal_delay(attempts)",
        "until = now",
    ),
    without(
        "a name that the server rewrites is tried once",
        "tests/unit/test_said.py tests/unit/test_reconcile.py",
        "said.py",
        "return self.sent == wanted and not self.kept and self.form == value",
        "return False",
    ),
    without(
        "a name or number that a list still shows is no form of the next one",
        f"tests/unit/test_said.py {FOUND}",
        "said.py",
        "again = value == self.sent\n",
        "again = True\n",
    ),
    without(
        "over a list that may lag, the last PUT is believed",
        f"tests/unit/test_said.py {FOUND}",
        "said.py",
        "return self.sent if self._lags(value, now) else value",
        "return value",
    ),
    without(
        "an earlier PUT that arrives late is put right",
        f"tests/unit/test_said.py {FOUND}",
        "said.py",
        "tried=again and (self.tried or not lags),",
        "tried=True,",
    ),
    without(
        "what stood as sent by chance is not put back for ever",
        "tests/unit/test_places.py",
        "core/places.py",
        "return s.past.attempt == attempt and s.past.attempts >= ATTEMPTS and chance",
        "return s.past.attempt == attempt and s.past.attempts >= ATTEMPTS and not by_people",
    ),
    without(
        "nor is what a server that counts on came to by chance",
        "tests/unit/test_places.py",
        "core/places.py",
        "or n - 1 in numbers for",
        "for",
    ),
    without(
        "a name that is taken is made free",
        f"{NAMES}::TestUniqueNames",
        "engine/lessons.py",
        "if not self.names_are_unique and self._name_is_taken(error, failure, past):",
        "if False:",
    ),
    without(
        "nothing was in vain while something could not be moved",
        "tests/unit/test_places.py",
        "core/places.py",
        "refused = [id_ for id_ in shown if s.change_refused(id_) is not None]",
        "refused = []",
    ),
    without(
        "a server's own numbers are left in peace",
        "tests/unit/test_places.py",
        "core/places.py",
        "return s.past.attempt == attempt and s.past.attempts >= ATTEMPTS and chance",
        "return False",
    ),
    without(
        "what a person moved is not the server's own order",
        "tests/unit/test_places.py",
        "core/places.py",
        "return s.past.attempt == attempt and s.past.attempts >= ATTEMPTS and chance",
        "return s.past.attempt == attempt and s.past.attempts >= ATTEMPTS",
    ),
    without(
        "on a server that counts itself a sequence is made from its end on",
        "tests/unit/test_places.py",
        "core/places.py",
        "if s.counts_itself:",
        "if False:",
    ),
    without(
        "and only the list tells its numbers",
        "tests/unit/test_places.py",
        "core/situation.py",
        "if not self.counts_itself:",
        "if True:",
    ),
    without(
        "a lagging list's former name does not go along with a move",
        "tests/unit/test_reconcile.py",
        "core/reconcile.py",
        "name = file.path if named else entry.name.along(a.name, s.now)",
        "name = file.path if named else a.name",
    ),
    without(
        "what was told before the last PUT is lag, too",
        "tests/unit/test_said.py",
        "said.py",
        "former = dict.fromkeys((*lately, self.sent, over))",
        "former = dict.fromkeys((over,))",
    ),
    without(
        "a clock set back lengthens no window",
        "tests/unit/test_pacing.py::test_a_clock_that_is_set_back_does_not_lengthen_a_window",
        "core/pacing.py",
        "if self.noted_at <= now and (window is None or window <= now):",
        "if True:",
    ),
    without(
        "nor a refusal",
        f"{REFUSED}::test_a_clock_that_is_set_back_makes_no_refusal_last_longer",
        "core/situation.py",
        "if 0 < r.not_before - self.now <= refusal_delay(r.attempts)",
        "if 0 < r.not_before - self.now",
    ),
    without(
        "an answer that was overtaken raises nothing",
        "tests/fault/test_cycle_quota.py::test_an_answer_that_was_overtaken_spends_nothing_that_is_not_there",
        "core/pacing.py",
        "        if in_parallel:\n",
        "        if False:\n",
    ),
    without(
        "where little is left, what is on its way is waited for",
        "tests/fault/test_cycle_quota.py::test_where_little_is_left_what_is_on_its_way_is_waited_for",
        "engine/uploads.py",
        "and self._fits(len(running))",
        "and self._fits(0)",
    ),
    without(
        "a clock set back moves no reset away",
        "tests/unit/test_pacing.py::test_a_clock_set_back_cannot_move_the_reset_away",
        "core/pacing.py",
        "return min(self.noted_at, now) + self.resets_in",
        "return self.noted_at + self.resets_in",
    ),
)

LEDGER = (
    without(
        "without a ledger that can be written nothing is sent",
        f"{STATE}::TestReadOnly {STATE}::TestFull",
        "state/store.py",
        'raise StateError(\n                f"the ledger {self._path} cannot be written: {error}; '
        'nothing more is sent"\n            ) from None',
        "del error",
    ),
    without(
        "a damaged ledger is set aside",
        f"{STATE}::TestDamaged::test_a_damaged_ledger_is_set_aside_and_nothing_is_lost",
        "state/opening.py",
        "return any(sign in str(error) for sign in _DAMAGED)",
        "return False",
    ),
    without(
        "damage is looked for",
        f"{STATE}::TestDamaged",
        "state/opening.py",
        'if found != "ok":',
        "if False:",
    ),
    without(
        "a newer ledger is refused",
        f"{STATE}::TestOtherVersions::test_a_newer_one_is_refused_and_left_byte_for_byte",
        "state/schema.py",
        "if version > VERSION:",
        "if False:",
    ),
    without(
        "of an older one a copy is kept",
        f"{STATE}::TestOtherVersions::test_an_older_one_is_taken_over_and_a_copy_is_kept",
        "state/schema.py",
        'shutil.copy2(path, f"{path}.format{version}")',
        "pass",
    ),
    without(
        "one process at a time",
        f"{STATE}::TestTwoAtOnce",
        "state/lock.py",
        "            _lock(descriptor)\n",
        "            pass\n",
    ),
)

FOLDERS = (
    without(
        "what cannot be read is named, and counts",
        f"{FILES}::TestUnreadable::test_a_file_is_named_and_the_others_go_on",
        "local/scan.py",
        'self._fail(path, "permission denied")',
        'self._skip(path, "permission denied")',
    ),
    without(
        "what is in an unreadable folder is not gone",
        f"{FILES}::TestUnreadable::test_what_becomes_unreadable_keeps_its_attachments",
        "core/matching.py",
        "        if parent in folder.occupied:\n            return False\n",
        "",
    ),
    without(
        "links, pipes and sockets are no files",
        f"{FILES}::TestOtherThanFiles::test_links_pipes_and_sockets_are_skipped_unopened",
        "local/scan.py",
        "if not stat.S_ISREG(status.st_mode):",
        "if False:",
    ),
    without(
        "what was swapped in since the scan is not sent",
        f"{FILES}::TestOtherThanFiles::test_swapped_in_between_scan_and_open_it_is_not_sent",
        "focus/upload.py",
        "os.O_NOFOLLOW | ",
        "",
        "focus/upload.py",
        "if _fingerprint(status) != upload.fingerprint:",
        "if False:",
    ),
    without(
        "a nested mount is left alone",
        f"{FILES}::TestMounts::test_a_nested_mount_is_skipped_and_what_it_covers_is_detached",
        "local/scan.py",
        "elif path in self._mounts or entry.stat(follow_symlinks=False).st_dev != self._device:",
        "elif False:",
        "local/scan.py",
        "if os.fstat(fd).st_dev != self._device:",
        "if False:",
    ),
    without(
        "so is another place of the same file system",
        f"{FILES}::TestMounts::test_a_nested_mount_is_skipped_and_what_it_covers_is_detached",
        "local/scan.py",
        "elif path in self._mounts or entry",
        "elif entry",
    ),
    without(
        "a mount that leaves deletes nothing",
        f"{FILES}::TestMounts::test_a_root_whose_mount_leaves_deletes_nothing",
        "core/guard.py",
        "strange = s.past.identity is not None and s.past.identity != s.folder.identity",
        "strange = False",
        "core/guard.py",
        "if not s.folder.files and _ours(s) >= 2:",
        "if False:",
        "core/guard.py",
        "return gone > 0 and all_ours >= 4 and 2 * total > all_ours",
        "return False",
    ),
    without(
        "no body is overrun when its file grows",
        "tests/unit/test_focus_upload.py",
        "focus/upload.py",
        'piece = self._read(min(limit, self._left)) if self._left else b""',
        'piece = self._read(limit) if self._left else b""',
    ),
    without(
        "no body is padded when its file shrinks",
        "tests/unit/test_focus_upload.py",
        "focus/upload.py",
        'raise ShortRead(self.path, "shrank")',
        'return b"\\0" * count',
    ),
    without(
        "one that keeps changing is left for later",
        f"{FILES}::TestChangingWhileSent::test_a_file_that_keeps_changing_is_75_and_stops_nobody",
        "engine/cycle.py",
        "if self._sends[c.file.path] >= SENDS",
        "if False",
    ),
    without(
        "long names do not overrun the request line",
        "tests/fault/test_cycle_costs.py::test_long_names_are_spread_over_more_requests",
        "focus/client.py",
        "return fits_request_line(_full_path(task), names)",
        "return True",
        "focus/client.py",
        "return (everything if fits else numbered), everything",
        "return everything, everything",
    ),
    without(
        "a name that is not UTF-8 fails alone",
        f"{FILES}::TestNames::test_a_name_that_is_not_utf8_fails_by_its_escaped_form",
        "local/scan.py",
        '        if not is_utf8(path):\n            self._fail(path, "name is not UTF-8")\n'
        "            return\n",
        "",
    ),
    without(
        "of two names equal after NFC one goes on",
        f"{FILES}::TestNames::test_of_unicode_twins_the_attached_one_goes_on",
        "local/scan.py",
        "walk.drop_twins(frozenset(known))",
        "pass",
    ),
    without(
        "and it is the attached one",
        f"{FILES}::TestNames::test_of_unicode_twins_the_attached_one_goes_on",
        "local/scan.py",
        "key=lambda path: (path not in known, path)",
        "key=lambda path: path",
    ),
)

GUARD = (
    without(
        "more than max_delete",
        f"{HOLDS}::test_it_holds_names_the_reason_and_lets_all_else_go_on",
        "core/guard.py",
        "if total > s.rules.max_delete and not leave.allow_delete:",
        "if False:",
    ),
    without(
        "more than half",
        f"{HOLDS}::test_it_holds_names_the_reason_and_lets_all_else_go_on",
        "core/guard.py",
        "return gone > 0 and all_ours >= 4 and 2 * total > all_ours",
        "return False",
    ),
    without(
        "no synced file is left",
        f"{HOLDS}::test_none_left_is_held_whatever_ignored_files_remain "
        f"{HOLDS}::test_allow_delete_releases_the_counts_and_nothing_else",
        "core/guard.py",
        "if not s.folder.files and _ours(s) >= 2:",
        "if False:",
    ),
    without(
        "another folder stands there",
        f"{HOLDS}::test_it_holds_names_the_reason_and_lets_all_else_go_on",
        "core/guard.py",
        "strange = s.past.identity is not None and s.past.identity != s.folder.identity",
        "strange = False",
    ),
    without(
        "mirror, the first time",
        f"{HOLDS}::test_it_holds_names_the_reason_and_lets_all_else_go_on",
        "core/guard.py",
        "if foreign and for_all is None and not s.past.mirror_approved:",
        "if False:",
    ),
    without(
        "an approval ends after 24 hours",
        f"{HOLDS}::test_an_approval_is_void_after_24_hours",
        "service/notes.py",
        "if 0 <= now - approval.given_at < APPROVAL_LIVES:",
        "if True:",
    ),
    without(
        "an approval is for exactly one set",
        f"{HOLDS}::test_an_approval_is_void_if_the_set_has_changed",
        "core/guard.py",
        "return ids == leave.approved & (ids | (there - buried))",
        "return bool(ids & leave.approved)",
    ),
    without(
        "an approval outlives a run that came to nothing",
        f"{HOLDS}::test_an_approval_outlives_a_run_that_came_to_nothing",
        "cli/once.py",
        "if approval and not self._options.dry_run and cycle.report.decided:",
        "if approval and not self._options.dry_run:",
    ),
    without(
        "one delete that is refused does not void the approval of the others",
        f"{PLAN}::TestApproval::test_one_of_them_that_the_server_refuses_keeps_back_no_other",
        "core/guard.py",
        "a.id for a in s.listing.attachments if s.change_refused(a.id) is None",
        "a.id for a in s.listing.attachments",
    ),
    without(
        "--allow-delete releases the counts only",
        f"{HOLDS}::test_allow_delete_releases_the_counts_and_nothing_else",
        "core/guard.py",
        "    if strange:\n        return NOT_THE_SAME\n",
        "    if leave.allow_delete:\n        return None\n    if strange:\n"
        "        return NOT_THE_SAME\n",
    ),
)

KEYS = (
    without(
        "an answer that quotes the key",
        f"{SECRETS}::test_no_echo_brings_the_key_into_any_output_or_file",
        "focus/transport.py",
        "return _without(key, answer)",
        "return answer",
    ),
    without(
        "a traceback that quotes the key",
        f"{SECRETS}::test_no_traceback_shows_it "
        f"{SECRETS}::test_a_key_given_by_mistake_is_not_quoted",
        "secrets.py",
        'return _FOCUS_KEYS.sub("toggl_sk_…", text)',
        "return text",
    ),
    without(
        "a token file that others can use",
        f"{SECRETS}::test_a_token_file_that_others_can_use_is_refused",
        "secrets.py",
        "if found.st_mode & mask:",
        "if False:",
    ),
    without(
        "the state is its owner's",
        f"{SECRETS}::test_the_state_is_its_owners_whatever_the_umask",
        "cli/main.py",
        "    os.umask(0o077)\n",
        "",
    ),
    without(
        "a redirect is not followed",
        f"{NETWORK}::test_a_redirect_is_not_followed",
        "focus/transport.py",
        "            allow_redirects=False,\n",
        "            allow_redirects=True,\n",
        "focus/transport.py",
        "        return None\n\n\nclass HttpTransport",
        "        return super().get_redirect_target(resp)\n\n\nclass HttpTransport",
    ),
    without(
        "no proxy stands before this machine itself",
        f"{NETWORK}::test_no_proxy_of_the_environment_stands_before_a_loopback_url",
        "focus/surroundings.py",
        'if is_loopback(urlsplit(base_url).hostname or ""):',
        "if False:",
    ),
    without(
        "a netrc changes nothing",
        f"{NETWORK}::test_a_netrc_changes_nothing",
        "focus/transport.py",
        "self._session.trust_env = False",
        "self._session.trust_env = True",
    ),
    without(
        "TLS is verified",
        f"{NETWORK}::test_an_unknown_certificate_is_75_whatever_the_environment",
        "focus/transport.py",
        "self._session.verify = surroundings.trust()",
        "self._session.verify = False",
    ),
    without(
        "the key goes over no open line",
        f"{NETWORK}::test_http_to_another_machine_is_refused_before_anything_is_sent",
        "config/values.py",
        'if parts.scheme == "http" and not is_loopback(host):',
        "if False:",
    ),
)

READING = (
    without(
        "a config has a largest size",
        "tests/unit/test_config_yaml.py",
        "config/document.py",
        "if len(data) > MAX_BYTES:",
        "if False:",
    ),
    without(
        "aliases expand to a bounded number of values",
        "tests/unit/test_config_yaml.py",
        "config/document.py",
        "if self._left < 0:",
        "if False:",
    ),
    without(
        "YAML is nested to a bounded depth",
        "tests/unit/test_config_yaml.py",
        "config/document.py",
        "if self.depth > MAX_DEPTH:",
        "if False:",
        "config/document.py",
        "except (ValueError, OverflowError, RecursionError):",
        "except (ValueError, OverflowError):",
    ),
    without(
        "a manifest has a largest size",
        "tests/unit/test_manifest.py",
        "local/manifest.py",
        "if len(content) > LIMIT:",
        "if False:",
    ),
    without(
        "a pattern matches in linear time",
        f"{WORDS}::test_no_pattern_takes_long",
        "core/ignore.py",
        "re.compile(linear(regex.pattern))",
        "re.compile(regex.pattern)",
    ),
    without(
        "nobody's words steer a terminal",
        f"{WORDS}::test_no_file_name_steers_a_terminal",
        "text.py",
        "    if text.isprintable():\n        return text\n",
        "    return text\n",
    ),
    without(
        "nor a server's",
        f"{WORDS}::test_no_words_of_a_server_steer_a_terminal",
        "cli/output.py",
        "return printable(redact(line))",
        "return redact(line)",
        "focus/verdicts.py",
        'short = printable(" ".join(text[: limit * 2].split()))',
        'short = " ".join(text[: limit * 2].split())',
    ),
    without(
        "nor a log line",
        "tests/unit/test_log.py",
        "log.py",
        "return printable(text) + ",
        "return text + ",
    ),
)

DOUBT = (
    without(
        "an intent is kept over a crash",
        "tests/fault/test_cycle_crash.py tests/fault/test_matrix.py",
        "state/ledger.py",
        "\"UPDATE intents SET state = 'doubtful', ended_at = ? WHERE state = 'open'\"",
        "\"DELETE FROM intents WHERE state = 'open' AND ? > 0\"",
    ),
    without(
        "a doubtful create is not sent again before a list 5 s later",
        f"{FAULTS} tests/property/test_simulation.py",
        "core/books.py",
        "DOUBT = 5.0",
        "DOUBT = 0.0",
    ),
    without(
        "a 201 is believed while lists lag",
        f"{SHOWN}::test_a_list_that_lags_doubles_nothing_and_loses_nothing",
        "said.py",
        "BELIEF = 600.0",
        "BELIEF = 0.0",
    ),
    without(
        "what we deleted stays buried while lists lag",
        "tests/unit/test_books.py tests/property/test_simulation.py",
        "core/books.py",
        'if e.role != "tombstone" or now - e.since < DAY',
        'if e.role != "tombstone"',
    ),
    without(
        "nothing is sent after an answer that is not the documented success",
        FAULTS,
        "engine/apply.py",
        "        if not outcome.failures:\n            rest:",
        "        if True:\n            rest:",
        "engine/apply.py",
        "                outcome.failures.append(_failure(error, action))\n"
        "                return\n",
        "                outcome.failures.append(_failure(error, action))\n",
    ),
    without(
        "no request goes into a quota that is used up",
        "tests/fault/test_cycle_quota.py",
        "engine/look.py",
        "if left is not None and left - reserve < 1:",
        "if False:",
    ),
    without(
        "an attachment older than its file is not adopted",
        "tests/fault/test_cycle_adoption.py",
        "core/adoption.py",
        "return latest < file.fingerprint.mtime_ns / 1e9 + listing.clock_skew",
        "return False",
    ),
    without(
        "what today's rules do not sync is not gone",
        f"{PLAN}::test_what_has_no_file_to_sync_but_is_not_gone_is_detached",
        "core/matching.py",
        "    if not selects(path):\n        return False\n",
        "",
    ),
    without(
        "an old version whose content is a file's again does not go",
        "tests/fault/test_cycle_costs.py::test_an_old_version_whose_content_turns_up_elsewhere_is_renamed",
        "core/matching.py",
        'if e.role == "superseded" and e.id not in ours]',
        "if False]",
    ),
    without(
        "what was released (`delete: never`) is adopted for no file",
        "tests/unit/test_adoption.py::test_what_was_ours_once_and_was_replaced_is_no_files_attachment",
        "core/adoption.py",
        "if s.past.first_seen.get(a.id) != NO_FRUIT",
        "if True",
    ),
    without(
        "of two attachments for one path the later one is its version",
        "tests/unit/test_reconcile.py",
        "core/situation.py",
        "since=entry.since if stays and entry.since > since else later,",
        'since=entry.since if entry.role == "current" and entry.since > since else later,',
    ),
    without(
        "what no create can have made counts for none",
        FOUND,
        "core/fruits.py",
        "offered = [a for a in groups.get(key, []) if first_seen[a.id] > oldest]",
        "offered = groups.get(key, [])",
    ),
    without(
        "a name before a rename is no habit of the server",
        "tests/unit/test_books.py",
        "core/habits.py",
        "not resembles(name.believed(name.seen, now), name.sent)",
        "not resembles(name.seen, name.sent)",
    ),
    without(
        "nor is one of what was deleted before a list showed the new one",
        "tests/unit/test_books.py",
        "core/habits.py",
        'if e.role != "tombstone" and e.id in shown}',
        "if e.listed}",
    ),
    without(
        "what was there before a create was sent is not made of it, if its name is another",
        "tests/unit/test_books.py",
        "core/habits.py",
        "return not late and not self.made_before(intent, a)",
        "return not late",
    ),
    without(
        "an old version stays until its file's next one is sent",
        f"{FOUND}::test_an_old_version_stays_until_its_files_next_one_is_sent",
        "core/reconcile.py",
        "frozenset(unsent | {",
        "frozenset({",
    ),
    without(
        "what was replaced does not count among ours",
        "tests/unit/test_guard.py",
        "core/guard.py",
        "and e.id not in replaced for e",
        "for e",
    ),
    without(
        "one that is accepted ends the refusal of all",
        f"{FOUND}::test_one_that_is_accepted_ends_the_refusal_of_all",
        "engine/cycle.py",
        "if outcome.sent and plan.refused_alike is not None:",
        "if False:",
    ),
    without(
        "objects of a 201 are not told apart by numbers met by chance",
        "tests/unit/test_focus_create.py",
        "focus/answers.py",
        "(lambda u: (_size(u), form_of(u.name)), lambda r: (r.size, form_of(r.name))),",
        "",
    ),
    without(
        "nor does one take the name of another",
        "tests/unit/test_focus_create.py",
        "focus/answers.py",
        "stray = row.name != upload.name and row.name in names",
        "stray = False",
    ),
    without(
        "a number that the server may have given by itself is no sign",
        "tests/unit/test_books.py",
        "core/habits.py",
        "if number_tells is None:",
        "if not number_tells:",
    ),
    without(
        "where numbers are kept a small one tells, too",
        "tests/unit/test_books.py",
        "core/habits.py",
        "if number_tells is None:",
        "if True:",
    ),
    without(
        "what was kept is proof even when it is gone",
        "tests/unit/test_books.py",
        "core/habits.py",
        "kept = [e.order.sent for e in orders if e.order.kept]",
        "kept = [e.order.sent for e in orders if e.order.kept and e.id in there]",
    ),
    without(
        "what was adopted says nothing of what the server makes of it",
        f"{FOUND}::test_what_was_adopted_is_given_the_servers_form_when_it_is_moved",
        "said.py",
        "return not self.kept or self.form != self.sent",
        "return True",
    ),
    without(
        "a later version that comes late is no twin",
        "tests/unit/test_books.py",
        "core/books.py",
        "if entry.digest is not None and late.digest is not None:",
        "if entry.digest == late.digest:",
    ),
    without(
        "what is detached keeps its age",
        "tests/unit/test_reconcile.py",
        "core/leaving.py",
        'replace(e, role="detached")',
        'replace(e, role="detached", since=s.now)',
    ),
    without(
        "an old version with what its file holds again is not sent again",
        "tests/unit/test_matching.py",
        "core/matching.py",
        "come_back, old = _in_place(old, by_path, taken)",
        "come_back = []",
    ),
    without(
        "a name that has another somewhere in it is not made of that",
        "tests/unit/test_books.py",
        "core/names.py",
        "return long.startswith(short) or long.endswith(short)",
        "return short in long",
    ),
    without(
        "what is gone was counted, too",
        "tests/unit/test_places.py",
        "core/habits.py",
        'if e.role == "tombstone")',
        "if False)",
    ),
    without(
        "what came hours later is not what an old copy of the ledger waits for",
        "tests/unit/test_books.py",
        "core/habits.py",
        "if self._made_after(intent, a, BELIEF):",
        "if False:",
    ),
    without(
        "times that lie in the future tell nothing",
        "tests/unit/test_books.py",
        "core/habits.py",
        "if a.created_at > self.listed_at + _TOLERANCE:",
        "if False:",
    ),
    without(
        "an empty attachment is known to have the content of its empty file",
        "tests/unit/test_matching.py",
        "core/matching.py",
        "if file.size == 0:",
        "if False:",
    ),
    without(
        "what was there before, with another number, is no fruit where numbers are kept",
        "tests/unit/test_books.py",
        "core/habits.py",
        "explained = a.display_order == intent.number or not self.keeps_numbers",
        "explained = True",
    ),
    without(
        "what was made after a 201, under another name, is not its fruit",
        "tests/unit/test_books.py",
        "core/habits.py",
        'late = intent.state == "answered" and self._made_after(intent, a, 0.0)',
        "late = False",
    ),
    without(
        "a name that is nothing like what was sent is no form of it",
        "tests/unit/test_said.py",
        "said.py",
        "formed = self.tried and (alike or value in self.former)",
        "formed = self.tried",
    ),
    without(
        "an old version keeps its age",
        "tests/unit/test_reconcile.py",
        "core/leaving.py",
        'replace(e, role="superseded") for',
        'replace(e, role="superseded", since=s.now) for',
    ),
    without(
        "or until what replaced it was seen, if that is to go",
        f"{FOUND}::test_nor_does_it_go_before_what_replaced_it_was_seen_if_their_file_is_gone",
        "core/reconcile.py",
        "{e.path for e in s.matches.gone if e.id not in s.shown}",
        "set()",
    ),
    without(
        "what may have become of two sends in doubt is of unknown content",
        "tests/unit/test_books.py",
        "core/books.py",
        "if attachment_id in doubtful:",
        "if False:",
    ),
    without(
        "and its old versions stay until the file is sent again",
        "tests/unit/test_reconcile.py",
        "core/reconcile.py",
        "({f.path for f in adoption.new} | unknown)",
        "{f.path for f in adoption.new}",
    ),
    without(
        "what was made after a 201 is not its fruit where another send explains it",
        "tests/unit/test_books.py",
        "core/fruits.py",
        "found.update(paired or _in_order(",
        "found.update(_in_order(",
    ),
    without(
        "times that are unknown pair nothing",
        "tests/unit/test_books.py",
        "core/fruits.py",
        "if any(a.created_at is None for a in offered):",
        "if False:",
    ),
    without(
        "nor do they where one finds none at its time",
        "tests/unit/test_books.py",
        "core/fruits.py",
        "        if not able:\n            return {}\n",
        "        if not able:\n            continue\n",
    ),
    without(
        "a 201 is of what was made nearest to it",
        "tests/unit/test_books.py",
        "core/fruits.py",
        "min(able, key=lambda a: habits.apart(i, a))",
        "able[0]",
    ),
    without(
        "nor is many a number kept by chance",
        "tests/unit/test_books.py",
        "core/habits.py",
        "or (len(kept) >= _MANY and not renumbers):",
        "or False:",
    ),
    without(
        "nor given twice by a server that counts",
        "tests/unit/test_books.py",
        "core/habits.py",
        "or a.display_order in self.tied",
        "",
    ),
    without(
        "a number that only we have told of is no sign that the server does not count",
        "tests/unit/test_places.py",
        "core/situation.py",
        "if a.id not in self.only_told]",
        "]",
    ),
    without(
        "what was moved to the end is not moved there again and again",
        "tests/unit/test_places.py",
        "core/places.py",
        "if s.counts_itself and s.only_told:",
        "if False:",
    ),
    without(
        "a version that came back is later than what was sent before",
        "tests/unit/test_reconcile.py",
        "core/situation.py",
        "since=entry.since if stays and entry.since > since else later,",
        "since=entry.since if stays else later,",
    ),
    without(
        "what a file was moved over goes when the rename is done",
        "tests/unit/test_plan.py",
        "core/plan.py",
        "if d.path not in renamed)",
        "if True)",
    ),
    without(
        "and not at all if the rename has to wait",
        "tests/unit/test_plan.py",
        "core/plan.py",
        "if d.path not in put_off)",
        "if True)",
    ),
    without(
        "a name that was given up is free though a list still shows it",
        "tests/unit/test_room.py",
        "core/room.py",
        "e.name.believed(a.name, now)): (e, a)",
        "a.name): (e, a)",
    ),
    without(
        "an earlier send explains what was there before a later one",
        "tests/unit/test_books.py",
        "core/fruits.py",
        "if may_be_of(claiming, a) or not may_be_of(alike[_by_number(a)], a)",
        "if True",
    ),
    without(
        "of what was found by name alone a late twin is told still",
        "tests/unit/test_books.py",
        "core/books.py",
        'intent.key: intent.state == "answered" or shown[id_].display_order == intent.number',
        "intent.key: True",
    ),
    without(
        "an old version stays while its content is only said to be there",
        f"{FOUND}::test_a_version_with_a_files_content_stays_until_a_list_shows_that_files_own",
        "core/leaving.py",
        "and e.path not in pending and e.digest not in unlisted",
        "and e.path not in pending",
    ),
    without(
        "and so does an attachment whose file is gone",
        f"{FOUND}::test_nor_does_one_go_whose_own_file_is_gone",
        "core/leaving.py",
        "        if e.digest not in unlisted\n",
        "",
    ),
    without(
        "what was released (`delete: never`) is no fruit of a later create",
        FOUND,
        "state/ledger.py",
        '                self._insert("strangers", row, {"id": id_, "first_seen": NO_FRUIT})\n'
        "\n    def doubt",
        "                pass\n\n    def doubt",
    ),
)

GROUPS = {
    "answers": ANSWERS,
    "refusals and rewriting": REFUSALS,
    "the ledger": LEDGER,
    "files and folders": FOLDERS,
    "the guard": GUARD,
    "the key": KEYS,
    "what is read": READING,
    "doubt": DOUBT,
}
