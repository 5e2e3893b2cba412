"""A small operating system: a scheduler runs tasks of several classes that pass linked packets to one another."""

DATA = 6
IDLE, SENSOR, FILTER_A, FILTER_B, PRINTER, STORE = range(6)
READY, WAITING, STOPPED = range(3)


class Packet:
    def __init__(self, kind, source):
        self.next = None
        self.kind = kind
        self.source = source
        self.tag = 0
        self.data = [0] * DATA


class Queue:
    """Packets, linked."""

    def __init__(self):
        self.head = self.tail = None
        self.length = 0

    def put(self, packet):
        packet.next = None
        if self.tail is None:
            self.head = packet
        else:
            self.tail.next = packet
        self.tail = packet
        self.length += 1

    def take(self):
        packet = self.head
        if packet is not None:
            self.head = packet.next
            if self.head is None:
                self.tail = None
            packet.next = None
            self.length -= 1
        return packet


class Task:
    def __init__(self, system, number, priority):
        self.system = system
        self.number = number
        self.priority = priority
        self.inbox = Queue()
        self.state = READY
        self.runs = 0
        self.next = None

    def step(self):
        packet = self.inbox.take()
        if packet is None and self.needs_packet():
            self.state = WAITING
            return
        self.runs += 1
        self.work(packet)

    def needs_packet(self):
        return True

    def send(self, number, packet):
        packet.source = self.number
        self.system.deliver(number, packet)

    def work(self, packet):
        raise NotImplementedError


class Idle(Task):
    """Counts down, throwing a coin of its own about which sensor to wake."""

    def __init__(self, system, number, priority, count):
        super().__init__(system, number, priority)
        self.count = count
        self.seed = 0x2A5F

    def needs_packet(self):
        return False

    def work(self, packet):
        self.count -= 1
        if self.count <= 0:
            self.state = STOPPED
            return
        if self.seed & 1:
            self.seed = (self.seed >> 1) ^ 0xB400
            self.system.wake(SENSOR)
        else:
            self.seed >>= 1
            self.system.wake(STORE)


class Sensor(Task):
    """Fills free packets with letters and hands them to a filter."""

    def __init__(self, system, number, priority):
        super().__init__(system, number, priority)
        self.letter = 0

    def needs_packet(self):
        return self.system.free.head is None

    def work(self, packet):
        if packet is None:
            packet = self.system.free.take()
        data = packet.data
        letter = self.letter
        for i in range(DATA):
            letter += 1
            if letter > 25:
                letter = 0
            data[i] = 65 + letter
        self.letter = letter
        packet.tag = 0
        self.send(FILTER_A if letter & 1 else FILTER_B, packet)
        self.state = WAITING


class Filter(Task):
    """Changes what is in a packet, and passes it on."""

    def __init__(self, system, number, priority, target, amount):
        super().__init__(system, number, priority)
        self.target = target
        self.amount = amount

    def work(self, packet):
        data = packet.data
        amount = self.amount
        for i, v in enumerate(data):
            data[i] = v ^ amount
        packet.tag += 1
        if packet.tag < 3:
            self.send(self.other(), packet)
        else:
            self.send(self.target, packet)

    def other(self):
        return FILTER_B if self.number == FILTER_A else FILTER_A


class Printer(Task):
    def __init__(self, system, number, priority):
        super().__init__(system, number, priority)
        self.lines = 0

    def work(self, packet):
        self.lines += 1
        self.system.total += packet.data[self.lines % DATA]
        self.send(STORE, packet)


class Store(Task):
    """Gives packets back, a few at a time."""

    def __init__(self, system, number, priority):
        super().__init__(system, number, priority)
        self.kept = Queue()

    def needs_packet(self):
        return self.kept.length < 3

    def work(self, packet):
        if packet is not None:
            self.kept.put(packet)
        if self.kept.length >= 3:
            self.system.free.put(self.kept.take())


class System:
    def __init__(self, count):
        self.table = [None] * 6
        self.first = None
        self.free = Queue()
        self.total = 0
        self.switches = 0
        for i in range(8):
            self.free.put(Packet(i & 1, IDLE))
        self.add(Idle(self, IDLE, 0, count))
        self.add(Sensor(self, SENSOR, 10))
        self.add(Filter(self, FILTER_A, 20, PRINTER, 0x15))
        self.add(Filter(self, FILTER_B, 30, PRINTER, 0x2A))
        self.add(Printer(self, PRINTER, 40))
        self.add(Store(self, STORE, 50))

    def add(self, task):
        self.table[task.number] = task
        task.next = self.first
        self.first = task

    def wake(self, number):
        task = self.table[number]
        if task.state == WAITING:
            task.state = READY

    def deliver(self, number, packet):
        task = self.table[number]
        task.inbox.put(packet)
        if task.state == WAITING:
            task.state = READY

    def run(self):
        task = self.first
        while task is not None:
            if task.state == READY:
                self.switches += 1
                task.step()
                if task.state == STOPPED:
                    break
                task = self.first
            else:
                task = task.next
        return self.switches, self.total, [t.runs for t in self.table]


def run():
    return System(2000).run()
