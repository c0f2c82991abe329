"""Labelled inputs that routing is measured on. Every second one was held out when its numbers were set."""

from dataclasses import dataclass

from sostenuto.contracts.wire.route_call import RouteOption


@dataclass(frozen=True)
class Desk:
    """Routes, the inputs that belong to each, and inputs that belong nowhere."""

    options: tuple[RouteOption, ...]
    inside: dict[str, tuple[str, ...]]
    outside: tuple[str, ...]

    def labelled(self) -> list[tuple[str, str]]:
        """Every input with its route, empty where it belongs nowhere."""
        inside = [(text, route) for route, texts in self.inside.items() for text in texts]
        return [*inside, *((text, "") for text in self.outside)]


SHOP = Desk(
    options=(
        RouteOption(
            name="billing",
            description="Questions about invoices, payments, charges and refunds.",
            examples=("Why was my card charged twice?", "I want my money back.", "Send me the invoice of May."),
        ),
        RouteOption(
            name="technical",
            description="Problems with using the product: errors, crashes, log-in, installation.",
            examples=("The app crashes when I open it.", "I cannot log in.", "It says error 500."),
        ),
        RouteOption(
            name="shipping",
            description="Where a parcel is, delivery times and addresses.",
            examples=("Where is my parcel?", "Can you deliver on Saturday?", "Change my delivery address."),
        ),
        RouteOption(
            name="sales",
            description="Advice before buying: which product fits, prices, discounts, plans.",
            examples=("Which plan fits a team of ten?", "Is there a discount for students?", "Do you sell gift cards?"),
        ),
    ),
    inside={
        "billing": (
            "There is a charge on my statement that I do not recognise.",
            "How do I get a refund for last month?",
            "You took 20 dollars from my account by mistake.",
            "My payment was declined, can I use another card?",
            "I need a receipt with our VAT number on it.",
            "Please cancel my subscription and pay back what is left.",
            "When is the next amount due?",
            "The bill has the wrong company name.",
        ),
        "technical": (
            "After the update the screen stays black.",
            "I forgot my password and the reset mail never comes.",
            "How do I install it on a Mac?",
            "Uploading a file ends with 'connection reset'.",
            "The export button does nothing.",
            "It is terribly slow since yesterday.",
            "The two-factor code is not accepted.",
            "The sync between my phone and laptop is broken.",
        ),
        "shipping": (
            "My order has not arrived yet.",
            "How long does delivery to Norway take?",
            "The tracking number does not work.",
            "I moved house, send it to the new place please.",
            "The courier left the box at the wrong door.",
            "Can I pick the package up at the store?",
            "It was supposed to be here on Monday.",
            "Do you send things overseas?",
        ),
        "sales": (
            "What is the difference between Basic and Pro?",
            "Would the small one be enough for a family of four?",
            "Do you have a cheaper option for a charity?",
            "How much does it cost for fifty people?",
            "Which laptop would you recommend for video editing?",
            "Can I try it for free first?",
            "Is the red one still available?",
            "I would like an offer for 200 licences.",
        ),
    },
    outside=(
        "What is the capital of France?",
        "Write a poem about autumn.",
        "How do I bake sourdough bread?",
        "Who won the world cup in 1998?",
        "My dog does not eat any more.",
        "Translate 'good morning' into Japanese.",
        "What is the square root of 144?",
        "Tell me a joke.",
        "Will it rain tomorrow?",
        "asdf qwer zxcv",
        "Explain photosynthesis.",
        "Which muscles does a push-up train?",
        "What do you think of the president?",
        "How far away is the moon?",
        "Hello!",
        "Recommend me a good crime novel.",
    ),
)

OFFICE = Desk(
    options=(
        RouteOption(
            name="hr",
            description="Holidays, sick leave, salaries, contracts and everything else about employment.",
            examples=("How many days off do I have left?", "I am ill today.", "When are salaries paid?"),
        ),
        RouteOption(
            name="it",
            description="Computers, accounts, software and the network of the office.",
            examples=("My laptop does not start.", "I need access to the shared drive.", "The VPN is down."),
        ),
        RouteOption(
            name="legal",
            description="Contracts with customers and suppliers, privacy, trademarks and compliance.",
            examples=("Can you check this NDA?", "May we use this logo?", "A customer wants his data deleted."),
        ),
        RouteOption(
            name="facilities",
            description="The building: rooms, desks, heating, cleaning, parking and keys.",
            examples=("It is too cold in room 3.", "Book a meeting room.", "I lost my key card."),
        ),
    ),
    inside={
        "hr": (
            "I would like to take Friday off.",
            "How does parental leave work here?",
            "My payslip lacks the overtime.",
            "What is the notice period?",
            "Can I work from abroad for a month?",
            "Who do I tell that I got married?",
            "Is there a budget for training courses?",
            "My doctor says I must stay at home for a week.",
        ),
        "it": (
            "Outlook does not show new mails.",
            "Please install Photoshop on my machine.",
            "The wifi in the lounge drops all the time.",
            "I am locked out of my account.",
            "The printer says paper jam but there is none.",
            "Somebody sent me a suspicious link.",
            "I need a second monitor.",
            "Can you restore a file that I deleted?",
        ),
        "legal": (
            "Does the GDPR allow us to keep these logs?",
            "The supplier wants to change the liability clause.",
            "Is our new product name free to be registered?",
            "Who may sign on behalf of the company?",
            "We got a cease and desist letter.",
            "Which licence does this library have and may we ship it?",
            "How long must we keep accounting records?",
            "A competitor copied our website.",
        ),
        "facilities": (
            "The coffee machine on the second floor is broken.",
            "Where can visitors leave their car?",
            "The light above my desk flickers.",
            "We need a room for twelve people on Tuesday.",
            "The toilets have not been cleaned.",
            "Could I get a standing desk?",
            "The lift is stuck.",
            "Who opens the door on Sunday?",
        ),
    },
    outside=(
        "What is the tallest mountain of Africa?",
        "Give me a recipe for lentil soup.",
        "Who painted the Mona Lisa?",
        "What is 17 times 23?",
        "Sing me a song.",
        "How do vaccines work?",
        "Is there life on Mars?",
        "Summarise the plot of Hamlet.",
        "Best beaches in Portugal?",
        "lorem ipsum dolor sit amet",
        "How do I train for a marathon?",
        "What does 'sostenuto' mean?",
        "Who is the mayor of London?",
        "Thanks, bye.",
        "Why is the sky blue?",
        "My tomato plants have yellow leaves.",
    ),
)

ASSISTANT = Desk(
    options=(
        RouteOption(name="weather", description="Weather now and forecasts for a place."),
        RouteOption(name="travel", description="Flights, trains, hotels and plans for trips."),
        RouteOption(name="code", description="Writing, explaining and fixing program code."),
        RouteOption(name="health", description="Symptoms, medicines, nutrition and exercise."),
    ),
    inside={
        "weather": (
            "Do I need an umbrella in Bergen today?",
            "How hot will it get on Thursday?",
            "Is there going to be a storm this weekend?",
            "What is the temperature in Cairo?",
            "When does it stop snowing?",
            "Will the sun shine for our picnic?",
        ),
        "travel": (
            "Find me a cheap way from Berlin to Rome.",
            "Which hotel near the station has free breakfast?",
            "I want to spend three days in Lisbon, what should I see?",
            "Is there a night train to Vienna?",
            "My plane is delayed, what are my options?",
            "Do I need a visa for Vietnam?",
        ),
        "code": (
            "Why does this Python loop never end?",
            "Write a function that reverses a linked list.",
            "What does 'undefined is not a function' mean?",
            "How do I join two tables in SQL?",
            "Turn this into TypeScript.",
            "My unit test fails only on CI.",
        ),
        "health": (
            "I have had a headache for three days.",
            "How much protein does an adult need?",
            "Can I take ibuprofen with alcohol?",
            "Which stretches help against back pain?",
            "My knee hurts after running.",
            "Is it normal to feel tired after a vaccination?",
        ),
    },
    outside=(
        "Who wrote Don Quixote?",
        "What is the GDP of Brazil?",
        "Tell me a story about a dragon.",
        "How do I change the strings of a guitar?",
        "Which team leads the league?",
        "I want to complain about my neighbour.",
        "Buy ten shares of that company.",
        "What is the meaning of life?",
        "Is my tax return due already?",
        "blah blah blah",
        "How old is the universe?",
        "Draw a cat.",
    ),
)

DESKS = (SHOP, OFFICE, ASSISTANT)
