"""Every name of eigan's that a program of the cookbook uses stands in the guide, or in the cookbook's own words, and the cookbook
shows what each prints and how it stands to its peer. The guide names the header of whatever its code uses beyond eigan.hpp.

    python3 tests/docs/calls.py ROOT

A name of eigan's is one that a header below include/eigan declares: a type, a function, a member or an option. What the
cookbook shows as code is the programs themselves and does not count.
"""
import pathlib
import re
import sys

COMMON = {"rows", "cols", "size", "data", "columns", "begin", "end", "operator", "T", "main", "value", "name", "real",
          "fake", "generator", "forward", "first", "norm", "mean", "row", "read", "count", "action", "state", "find",
          "spread", "shape", "options", "step"}


def without_comments(text):
    return re.sub(r'"(\\.|[^"\\])*"', '""', re.sub(r"//[^\n]*", "", text))


def declared(root):
    names = set()
    for header in (root / "include" / "eigan").rglob("*.hpp"):
        text = without_comments(header.read_text())
        names |= set(re.findall(r"\b(?:class|struct|concept|using|enum class)\s+(\w+)", text))
        names |= set(re.findall(r"\b(\w+)\s*(?:<[^;{}()]*>)?\(", text))  # functions
        names |= set(re.findall(r"\b(?:double|bool|Index|int)\s+(\w+)\s*=", text))  # options
    return names - COMMON


def words(text):
    return set(re.findall(r"\w+", text))


def missing(root):
    guide = words((root / "docs" / "guide.md").read_text())
    cookbook = words(re.sub(r"```cpp\n.*?```", "", (root / "docs" / "cookbook.md").read_text(), flags=re.S))
    names = declared(root)
    others = {"squaredNorm", "sqrt", "insert", "emplace_back", "cwiseAbs", "cwiseSqrt", "clamp", "log", "transpose",
              "transposed", "moved", "read_header", "wanted", "Map", "Matrix2d", "Vector2d", "Vector2f", "VectorXf", "RowVectorXf", "array", "sin", "cos",
              "abs", "exp"}  # of the standard library, of Eigen, of the programs
    for program in sorted((root / "examples" / "programs").glob("*.cpp")):
        text = without_comments(program.read_text())
        own = set(re.findall(r"\b(?:struct|class)\s+(\w+)", text)) | set(re.findall(r"\bauto (\w+) =", text))
        own |= set(re.findall(r"^\w[\w:<> ]* (\w+)\(", text, flags=re.M))
        called = set(re.findall(r"\b([A-Za-z_]\w*)\s*(?:<[^;(){}]*>)?[({]", text)) | set(re.findall(r"\.(\w+) =", text))
        called |= set(re.findall(r"\b([A-Z]\w+)\b", text))
        for name in sorted((called & names) - own - others - guide - cookbook):
            yield program.name, name


def unprinted(root):
    """Programs whose output the cookbook does not show as it is."""
    page = (root / "docs" / "cookbook.md").read_text()
    for expected in sorted((root / "examples" / "programs" / "expected").glob("*.txt")):
        if f"```\n{expected.read_text()}```" not in page:
            yield expected.stem


def unmeasured(root):
    """Programs that no peer stands beside, or of which the cookbook's table says nothing."""
    page = (root / "docs" / "cookbook.md").read_text()
    for program in sorted((root / "examples" / "programs").glob("*.cpp")):
        peer = root / "benchmarks" / "programs" / f"{program.stem}.py"
        if not peer.exists() or f"\n| `{program.stem}` | " not in page:
            yield program.stem


def reached(include, headers):
    """The headers, and what they include."""
    seen, waiting = set(), list(headers)
    while waiting:
        header = waiting.pop()
        if header not in seen and (include / header).exists():
            seen.add(header)
            waiting += re.findall(r'#include [<"](eigan/[^>"]+)[>"]', (include / header).read_text())
    return seen


def unnamed_headers(root):
    """Headers of which the guide's code uses a documented type or function, and that no header named there includes."""
    include, guide = root / "include", (root / "docs" / "guide.md").read_text()
    code = words("\n".join(re.findall(r"```cpp\n(.*?)```", guide, flags=re.S)))
    known = reached(include, ["eigan/eigan.hpp", *re.findall(r"eigan/[\w/]+\.hpp", guide)])
    for header in sorted(path.relative_to(include).as_posix() for path in include.rglob("*.hpp")):
        text = re.sub(r"namespace detail \{.*?\}  // namespace detail", "", (include / header).read_text(), flags=re.S)
        names = re.findall(r"^(?:class|struct) (\w+)", text, flags=re.M)
        names += re.findall(r"^///[^\n]*\n(?:template [^\n]*\n)?[\w:<>,*& ]+? (\w+)\(", text, flags=re.M)
        if header not in known and set(names) & code - COMMON:
            yield header, sorted(set(names) & code - COMMON)


if __name__ == "__main__":
    root = pathlib.Path(sys.argv[1])
    found = list(missing(root))
    for header, names in unnamed_headers(root):
        print(f"docs/guide.md uses {', '.join(names)} and does not name <{header}>")
        found.append((header, names))
    for program in unmeasured(root):
        print(f"docs/cookbook.md or benchmarks/programs has no peer of {program}")
        found.append(program)
    for program in unprinted(root):
        print(f"docs/cookbook.md does not show what {program} prints, examples/programs/expected/{program}.txt")
        found.append(program)
    for program, name in missing(root):
        print(f"examples/programs/{program} uses {name}, which neither the guide nor the cookbook's words name")
    sys.exit(1 if found else 0)
