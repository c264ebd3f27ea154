"""Alerts and violations to serve: plausible ones, and every awkward one that JSON allows."""

import random
from datetime import datetime, timedelta, timezone

from fake_api import DAY, HOUR, MINUTE, SECOND, Row

POLICIES = [("policy-1", "PII Protection Policy"), ("policy-2", "Secrets & Keys"), ("policy-3", "Geheimnisse – streng")]
REPOS = [(f"repo-{n}", f"Repo {n}", f"workspace-{n % 3}") for n in range(6)] + [("repo ü/&+1", "Odd id", "workspace-9")]
MODELS = [("OPENAI", "gpt-4", "api.openai.com"), ("ANTHROPIC", "claude-3", "api.anthropic.com"), ("AWS", "titan", "bedrock")]
WORKSPACE = {repo: workspace for repo, _, workspace in REPOS}

# What the API calls a field -> the column that holds it.
COMMON = {
    "id": "id", "policyId": "policy_id", "policyName": "policy_name", "timestamp": "timestamp",
    "conversationId": "conversation_id", "repoId": "repo_id", "repoName": "repo_name",
    "userId": "user_id", "userName": "user_name", "repoAiApiKeyId": "repo_ai_api_key_id",
    "repoAiApiKeyName": "repo_ai_api_key_name", "llmType": "llm_type", "llmModel": "llm_model", "host": "host",
}
FIELDS = {
    "alerts": COMMON | {"message": "message"},
    "violations": COMMON | {"explanation": "explanation", "severity": "severity", "block": "block"},
}


def iso(at, digits=3, offset_minutes=0):
    """An instant as ISO 8601; digits of the second that are cut off are lost."""
    zone = timezone(timedelta(minutes=offset_minutes))
    moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=at)
    text = moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S")
    if digits:
        text += "." + f"{at % SECOND:06d}"[:digits]
    return text + ("Z" if offset_minutes == 0 else moment.astimezone(zone).isoformat()[-6:])


def plain(stream, number, at, rng, **changes):
    """One ordinary row."""
    policy, repo, model = rng.choice(POLICIES), rng.choice(REPOS), rng.choice(MODELS)
    user, key = rng.randrange(40), rng.randrange(5)
    fields = {
        "id": f"{stream[:-1]}-{number}", "policyId": policy[0], "policyName": policy[1], "timestamp": iso(at),
        "message" if stream == "alerts" else "explanation": f"Something of note, case {number}",
        "conversationId": rng.choice([None, f"conv-{rng.randrange(1000)}"]),
        "repoId": repo[0], "repoName": repo[1], "userId": f"user-{user}", "userName": f"User {user}",
        "repoAiApiKeyId": f"apikey-{key}", "repoAiApiKeyName": f"Key {key}",
        "llmType": model[0], "llmModel": model[1], "host": model[2],
    }
    if stream == "violations":
        fields["severity"] = rng.choice(["LOW", "MEDIUM", "HIGH", None])
        fields["block"] = rng.choice([True, False, None])
    fields.update(changes)
    return Row(at, fields, WORKSPACE.get(fields.get("repoId"), "workspace-1"))


def many(stream, count, newest, span, seed=1, first=0):
    """`count` plain rows at random milliseconds of the `span` that ends at `newest`."""
    rng = random.Random(f"{stream}-{seed}")
    return [plain(stream, first + n, newest - rng.randrange(span // 1000) * 1000, rng) for n in range(count)]


def awkward(stream, newest, span):
    """Rows that a careless reader gets wrong, spread over `span`."""
    words = "message" if stream == "alerts" else "explanation"
    optional = [f for f in FIELDS[stream] if f not in ("id", "timestamp")]
    texts = {
        "empty": "", "space": "  ", "newlines": "a\nb\r\nc\td", "control": "\u0001\u001f\u007f",
        "quotes": "'\"`\\ $$ %s {0}", "sql": "'); DROP TABLE alerts; --", "unicode": "Zoë 漢字 \u202ertl\u202c é e\u0301 ß",
        "emoji": "👩‍👩‍👧‍👦 🇨🇭 𝒳", "html": "<script>alert(1)</script>&amp;", "number": "12.0", "null": "null", "date": "2024-01-15",
        "separators": "\u2028\u2029\ufeff", "csv": "=1+1,\"x\"", "long": "Länge " * 20_000,
    }
    changes = [{words: text, "userName": text} for text in texts.values()]
    changes += [
        {f: None for f in optional},
        {f: "" for f in optional if f not in ("block", "severity")},
        {"score": 0.1, "count": 12345678901234567890, "price": 1.10, "exponent": 1.5e-7},
        {"nested": {"b": [1, None, "ü", {"x": {}}], "a": ""}, "empty list": [], "nothing": None, "yes": True},
        {"extra": {"mine": 1}, "_run_id": "forged", "_first_synced_at": "1999-01-01T00:00:00Z", "policy_id": "forged"},
        {"PolicyId": "another case", "ID": "another case", "TIMESTAMP": "another case", "Id": 5},
        {"": "a field without a name", "a.b": 1, "a\"b": 2, "ключ": "значение"},
    ]
    if stream == "violations":
        changes += [{"severity": s, "block": b} for s in ("LOW", "MEDIUM", "HIGH", None, "BRAND_NEW") for b in (True, False, None)]
    rng = random.Random(stream)
    step = span // (len(changes) + 20) // SECOND * SECOND
    rows = [plain(stream, f"awkward-{n}", newest - n * step, rng, **change) for n, change in enumerate(changes)]

    for row in rows:
        row.text = row.text.replace(b'"price": 1.1', b'"price": 1.10')  # exactly as sent

    at = newest - (len(rows) + 1) * step
    bare = plain(stream, "awkward-bare", at, rng)
    rows.append(Row(at, {"id": bare.json["id"], "timestamp": bare.json["timestamp"]}))
    at = at // SECOND * SECOND
    spelt = [(at, 0, 0), (at + 500_000, 1, 0), (at + 123_456, 6, 0), (at + 250_000, 3, 120), (at + 750_000, 2, -330), (at, 0, 840)]
    for n, (moment, digits, offset) in enumerate(spelt):
        moment -= n * step
        row = plain(stream, f"awkward-time-{n}", moment, rng, timestamp=iso(moment, digits, offset))
        rows.append(row)
    # A day's first and last instant, and ids that sort and quote badly.
    midnight = at // DAY * DAY
    for n, (moment, id_) in enumerate([(midnight, "0"), (midnight - 1000, "id with ' and \""), (midnight - DAY, "ID-ü-🙂")]):
        rows.append(plain(stream, 0, moment, rng, id=f"{stream}:{id_}:{n}"))
    return rows


def one_instant(stream, count, at, seed=3):
    """`count` rows that share a millisecond."""
    rng = random.Random(seed)
    rows = [plain(stream, f"tie-{n}", at, rng) for n in range(count)]
    rng.shuffle(rows)
    return rows


def organisation(stream, count, now, days=90):
    """`count` rows of the last `days`, the awkward ones among them."""
    strange = awkward(stream, now - 3 * MINUTE, days * DAY - 2 * HOUR)
    return strange + many(stream, count - len(strange), now - MINUTE, days * DAY - HOUR)
