"""Inputs by how hard they are: 0 easy, 1 in between, 2 hard. All of them were seen when the weights were set."""

CASES: tuple[tuple[int, str], ...] = (
    (0, "What is the capital of France?"),
    (0, "Translate 'good morning' into Spanish."),
    (0, "Thanks!"),
    (0, "Where is my parcel?"),
    (0, "Summarise this: the meeting is moved to Friday."),
    (0, "What time is it in Tokyo?"),
    (0, "Fix the spelling: recieve"),
    (0, "Give me a synonym of 'quick'."),
    (0, "How many days does March have?"),
    (0, "Is this review positive? 'I love this phone.'"),
    (0, "Who wrote Hamlet?"),
    (0, "Turn this list into a comma separated line: red green blue"),
    (1, "Write a function that reverses a linked list and explain it."),
    (1, "Compare Postgres and MySQL for a small shop."),
    (1, "Why do leaves turn red in autumn? And does it help the tree?"),
    (1, "Write a polite mail to my landlord about the broken heating, and ask when it will be repaired."),
    (1, "What are the pros and cons of remote work?"),
    (1, "Solve the equation 3x + 7 = 22."),
    (1, "Write an SQL query that lists customers without orders."),
    (1, "Plan a three day trip to Lisbon with a museum every day."),
    (1, "Explain how a bill becomes law, step by step."),
    (1, "Rewrite this paragraph so that it is shorter, and must not use passive voice."),
    (1, "What is the difference between a process and a thread?"),
    (1, "First list the ingredients, then the steps, of a lasagne for six people."),
    (
        2,
        "Design a distributed rate limiter for 50 regions. It must stay correct under clock skew, should add at most "
        "2 ms, and must degrade gracefully. Compare token bucket and sliding window, and justify your choice.",
    ),
    (2, "Prove that the square root of every prime is irrational, then derive the same for products of two primes."),
    (
        2,
        "Our service deadlocks about once a week under load. Analyse this stack trace, find the root cause, and "
        "refactor the code so that it cannot happen again without losing throughput:\n"
        "```java\nsynchronized(a){ b.lock(); }\n```",
    ),
    (
        2,
        "Develop a go-to-market strategy for a medical device in three countries. Consider regulation, reimbursement "
        "and competitors, assess the risks of each, prioritise the countries, and plan the first twelve months.",
    ),
    (
        2,
        "Let X be the number of tosses until two heads in a row. Derive the expected value of X, prove that it is "
        "finite, and explain how it changes if the coin has probability p.",
    ),
    (
        2,
        "Refactor this module to be asynchronous, ensure that cancellation reaches every call, keep the public API, "
        "and add unit tests for each of these cases:\n- timeout\n- retry\n- partial failure",
    ),
    (
        2,
        "Evaluate these two contracts. What are the implications of the liability clause in each if the supplier "
        "fails, and which should we sign, given that we must deliver by June? Argue both sides before you decide.",
    ),
    (
        2,
        "Implement a scheduler with priorities and aging. Requirements:\n1. no starvation\n2. at most O(log n) per step"
        "\n3. safe under concurrent use\nThen analyse its complexity and prove requirement 1.",
    ),
    (
        2,
        "Suppose a central bank raises rates while the currency falls. Predict the effects on exports, on debt and on "
        "housing, explain the trade-offs, and compare with what happened in at least two historical cases.",
    ),
    (
        2,
        "Migrate our monolith to services without downtime. Analyse the order of the steps, the data that two services "
        "must share, how to roll back after each step, and what should be measured. What could go wrong?",
    ),
    (
        2,
        "Find all integer solutions of x^2 + y^2 = 3z^2 and prove that there are no others. Which theorem did you use, "
        "and what if 3 is replaced by 5?",
    ),
    (
        2,
        "Write an essay of 1500 words that evaluates whether Hamlet's delay is a flaw of character or of the play. "
        "Consider at least three critics, contrast their arguments, and justify a position of your own.",
    ),
)
