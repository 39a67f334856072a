"""Reads one pickle without ever running it.

    unpickled(data)      # an Item, or plain values (pickled_values)

A pickle is a small program. The module that runs such programs is not used here, and nothing is
imported, looked up or called by a name out of one. `pickletools` splits the bytes into operations,
and this machine knows those that the data of `MemoryItem` needs, in every protocol from 0 to 5.
Any other operation or name is refused and told. Whatever the bytes are, the outcome is a value or
`Unreadable`, within `PICKLE_OPERATIONS_MAX` operations and memory in proportion to the bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from memtend.limits_foreign import PICKLE_BYTES_MAX, PICKLE_OPERATIONS_MAX
from memtend.migrate.pickled_names import Known, called, known
from memtend.migrate.pickled_values import Bag, Item, Table, Writer
from memtend.model.unreadable import Unreadable

_PROTOCOL_MAX: Final = 5
_WHY_CHARS_MAX: Final = 160
_STATE_PARTS: Final = 2


def unpickled(data: bytes, writer: Writer) -> Any:
    """The value; `writer` is the one that will write it, for one budget holds for all of it."""
    import pickletools  # noqa: PLC0415 — needed by those alone who allow pickles

    if len(data) > PICKLE_BYTES_MAX:
        raise Unreadable(f"its pickle is longer than {PICKLE_BYTES_MAX:,} bytes")
    machine = _Machine(writer)
    end = 0
    try:
        for count, (operation, argument, at) in enumerate(pickletools.genops(data)):
            if count >= PICKLE_OPERATIONS_MAX:
                raise Unreadable(f"its pickle has more than {PICKLE_OPERATIONS_MAX:,} operations")
            machine.step(operation.name, argument)
            end = (at or 0) + 1
    except Unreadable:
        raise
    except ValueError as error:
        raise Unreadable(f"no whole pickle: {str(error)[:_WHY_CHARS_MAX]}") from None
    if end != len(data):
        raise Unreadable("its pickle has bytes after its end")
    return machine.result()


class _Machine:
    """A stack, marks in it, and a memory of what may be named again."""

    def __init__(self, writer: Writer) -> None:
        self._stack: list[Any] = []
        self._below: list[list[Any]] = []
        self._memory: dict[int, Any] = {}
        self._writer = writer

    def step(self, name: str, argument: Any) -> None:
        if name in _CONSTANTS:
            self._stack.append(_CONSTANTS[name])
        elif name in _LITERALS:
            self._stack.append(argument)
        elif name in _ACTIONS:
            _ACTIONS[name](self, argument)
        else:
            raise Unreadable(f"it uses the operation {name}, which is never read")

    def result(self) -> Any:
        if len(self._stack) != 1 or self._below:
            raise Unreadable("its pickle leaves something over")
        return self._stack[0]

    def _pop(self) -> Any:
        if not self._stack:
            raise Unreadable("its pickle takes what is not there")
        return self._stack.pop()

    def _popped(self, count: int) -> list[Any]:
        return [self._pop() for _ in range(count)][::-1]

    def _top(self) -> Any:
        self._stack.append(top := self._pop())
        return top

    def _marked(self) -> list[Any]:
        """Everything above the last mark."""
        if not self._below:
            raise Unreadable("its pickle takes what is not there")
        found, self._stack = self._stack, self._below.pop()
        return found

    def mark(self, _argument: Any) -> None:
        self._below.append(self._stack)
        self._stack = []

    def protocol(self, argument: int) -> None:
        if argument > _PROTOCOL_MAX:
            raise Unreadable(f"it is a pickle of protocol {argument}")

    def ignore(self, _argument: Any) -> None:
        """A frame is a hint for reading ahead, and the end is found by the parser."""

    def old_text(self, argument: str) -> None:
        """What was text to Python 2 and is bytes to us, unless both agree."""
        self._stack.append(argument if argument.isascii() else argument.encode("latin-1"))

    def tuple_of(self, argument: int | None) -> None:
        taken = self._marked() if argument is None else self._popped(argument)
        self._stack.append(tuple(taken))

    def new_list(self, marked: bool) -> None:
        taken = self._marked() if marked else []
        self._stack.append(taken)

    def new_table(self, marked: bool) -> None:
        pairs = self._marked() if marked else []
        self._stack.append(Table())
        self._fill(pairs)

    def new_bag(self, name: str) -> None:
        members = self._marked() if name == "frozenset" else []
        bag = Bag(name)
        bag.members = {self._writer.member(one): None for one in members}
        self._stack.append(bag)

    def append(self, marked: bool) -> None:
        more = self._marked() if marked else [self._pop()]
        target = self._top()
        if not isinstance(target, list):
            raise Unreadable("it appends to what is no list")
        target.extend(more)

    def set_items(self, marked: bool) -> None:
        if marked:
            pairs = self._marked()
        else:
            value = self._pop()
            pairs = [self._pop(), value]
        self._fill(pairs)

    def _fill(self, pairs: list[Any]) -> None:
        table = self._top()
        if not isinstance(table, Table) or len(pairs) % 2:
            raise Unreadable("it sets keys of what is no table")
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            if type(key) is str:
                known_keys: dict[Any, Any] = table.texts
                named: Any = key
            else:
                table.others = known_keys = {} if table.others is None else table.others
                named = self._writer.member(key)
            if named in known_keys:
                raise Unreadable("a table in it gives a key twice")
            known_keys[named] = value

    def add_items(self, _argument: Any) -> None:
        more = self._marked()
        target = self._top()
        if not isinstance(target, Bag) or target.name != "set":
            raise Unreadable("it adds to what is no set")
        target.members.update((self._writer.member(one), None) for one in more)

    def remember(self, argument: int | None) -> None:
        """Numbers are names here: an enormous one takes no more room than a small one."""
        self._memory[len(self._memory) if argument is None else argument] = self._top()

    def recall(self, argument: int) -> None:
        if argument not in self._memory:
            raise Unreadable("it names again what was never there")
        self._stack.append(self._memory[argument])

    def name(self, argument: str | None) -> None:
        if argument is None:
            name, module = self._pop(), self._pop()
        else:
            module, _, name = argument.partition(" ")
        self._stack.append(known(module, name))

    def instance(self, argument: str | None) -> None:
        """INST has the name beside it, OBJ on the stack below the arguments."""
        arguments = self._marked()
        if argument is not None:
            module, _, name = argument.partition(" ")
            what: Any = known(module, name)
        else:
            what = arguments.pop(0) if arguments else None
        self._stack.append(self._call(what, tuple(arguments)))

    def call(self, _argument: Any) -> None:
        arguments = self._pop()
        self._stack.append(self._call(self._pop(), arguments))

    def new_object(self, with_names: bool) -> None:
        named = self._pop() if with_names else None
        arguments, what = self._pop(), self._pop()
        plain = named is None or (isinstance(named, Table) and not named.texts and not named.others)
        if what is not Known.ITEM or arguments != () or not plain:
            raise Unreadable(f"it makes {getattr(what, 'value', 'an object')} in an unknown way")
        self._stack.append(Item())

    def _call(self, what: Any, arguments: Any) -> Any:
        return called(what, arguments, self._writer)

    def build(self, _argument: Any) -> None:
        """Fields for an item. An object's own idea of how to take them over is never asked."""
        state = self._pop()
        target = self._top()
        if not isinstance(target, Item) or target.fields is not None:
            raise Unreadable("it builds what is no new MemoryItem")
        parts = state if isinstance(state, tuple) and len(state) == _STATE_PARTS else (state,)
        fields = Table()
        for part in parts:
            if part is None:
                continue
            if not isinstance(part, Table) or part.others:
                raise Unreadable("it gives a MemoryItem no table of fields")
            for name in part.texts:
                if name.startswith("__") or name in fields.texts:
                    raise Unreadable(f"it gives a MemoryItem the field {name[:64]}")
            fields.texts.update(part.texts)
        target.fields = fields


_CONSTANTS: Final[dict[str, Any]] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_LITERALS: Final = frozenset(
    ("INT", "LONG", "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
     "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8",
     "BINBYTES", "SHORT_BINBYTES", "BINBYTES8")
)  # fmt: skip
_ACTIONS: Final[dict[str, Callable[[_Machine, Any], None]]] = {
    "PROTO": _Machine.protocol,
    "FRAME": _Machine.ignore,
    "STOP": _Machine.ignore,
    "MARK": _Machine.mark,
    **dict.fromkeys(("STRING", "BINSTRING", "SHORT_BINSTRING"), _Machine.old_text),
    "EMPTY_TUPLE": lambda machine, _: machine.tuple_of(0),
    "TUPLE1": lambda machine, _: machine.tuple_of(1),
    "TUPLE2": lambda machine, _: machine.tuple_of(2),
    "TUPLE3": lambda machine, _: machine.tuple_of(3),
    "TUPLE": _Machine.tuple_of,
    "EMPTY_LIST": lambda machine, _: machine.new_list(False),
    "LIST": lambda machine, _: machine.new_list(True),
    "APPEND": lambda machine, _: machine.append(False),
    "APPENDS": lambda machine, _: machine.append(True),
    "EMPTY_DICT": lambda machine, _: machine.new_table(False),
    "DICT": lambda machine, _: machine.new_table(True),
    "SETITEM": lambda machine, _: machine.set_items(False),
    "SETITEMS": lambda machine, _: machine.set_items(True),
    "EMPTY_SET": lambda machine, _: machine.new_bag("set"),
    "FROZENSET": lambda machine, _: machine.new_bag("frozenset"),
    "ADDITEMS": _Machine.add_items,
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), _Machine.remember),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _Machine.recall),
    **dict.fromkeys(("GLOBAL", "STACK_GLOBAL"), _Machine.name),
    **dict.fromkeys(("INST", "OBJ"), _Machine.instance),
    "REDUCE": _Machine.call,
    "NEWOBJ": lambda machine, _: machine.new_object(False),
    "NEWOBJ_EX": lambda machine, _: machine.new_object(True),
    "BUILD": _Machine.build,
}
