"""English texts: mail with firms abroad. Facts in braces: see scene.py."""

from app.demo.grammar import Piece

GREETINGS = {
    "formal": ("Dear {to_voc},", "Hello,", "Good morning,", "Hi {to_voc},", "Dear all,"),
    "inside": ("Hi,", "Hello,", "Hi all,"),
}
CLOSINGS = ("Kind regards", "Best regards", "Many thanks", "Regards", "Best wishes", "Thanks")
ASIDES = (
    "[You can reach me|Call me] on {phone} until {hour} your time.",
    "Sorry for the late answer, [we had stocktaking|I was on site all week].",
    "The gate on {street} street is closed on Sundays, please tell the driver.",
    "I am away from Monday; [a colleague covers for me|please copy the office].",
    "Please let us know that this has reached you.",
    "", "", "", "", "", "",
)  # fmt: skip

PIECES = {
    "invoice": Piece(
        ("Invoice {invoice}", "Invoice {invoice} from {short}", "Your order {order}: invoice"),
        (("Please find attached invoice {invoice} for {good_list}, EUR {net} net.",
          "We have shipped {qty} {unit} of {good_gen}; invoice {invoice} over EUR {net} is "
          "enclosed.",
          "Attached is our invoice for the delivery of {day}, order {order}."),
         ("Payment is due by {due}.", "Terms are {days} days net, [as agreed|as usual].",
          "Please quote {invoice} with your transfer."),
         ("", "The packing list is on page two.")),
    ),
    "invoice_question": Piece(
        ("Re",),
        (("The invoice says {qty} {unit}, but only {less} arrived. Could you check?",
          "EUR {net} is not what we find in your quotation {offer}.",
          "Our bookkeeping needs the delivery note for {invoice}, please."),
         ("We hold the payment until this is clear.", "We close the month on {day2}.", "")),
    ),
    "invoice_answer": Piece(
        ("Re",),
        (("You are right, [freight was charged twice|a pallet was left behind]. A credit note "
          "follows on {day2}.",
          "The second truck was unloaded on {day2}, so {qty} {unit} is correct.",
          "I have asked accounts to cancel {invoice} and issue a new one."),
         ("Apologies for the trouble.", "Thank you for your patience.", "")),
    ),
    "reminder": Piece(
        ("Payment reminder {invoice}", "Overdue: {invoice}"),
        (("According to our records EUR {net} for invoice {invoice} is still open.",
          "Invoice {invoice} was due on {due}. We have not seen your transfer yet."),
         ("If you have paid meanwhile, please ignore this mail.",
          "Could you tell us when we may expect it?")),
    ),
    "ask_offer": Piece(
        ("Request for quotation: {good}", "Price and lead time for {good}", "Enquiry {order}"),
        (("Could you please quote {qty} {unit} of {good_gen}, delivered to {street} street?",
          "For our next site we need {qty} {unit} of {good_gen} by {day2}.",
          "We are looking for {good_gen}, about {qty} {unit}. What is your best price?"),
         ("Our deadline for the decision is {due}.", "Last year we had {pct}% discount.",
          "Please add lead time and drawings.")),
    ),
    "offer": Piece(
        ("Quotation {offer}", "Quotation {offer}: {good}", "Our offer for {good}"),
        (("Thank you for your enquiry. Our price for {good_list} is EUR {net} net.",
          "As discussed, please find quotation {offer} attached, {pct}% discount included.",
          "We can offer {qty} {unit} of {good_gen} at EUR {net}, ex works."),
         ("The offer is valid until {due}.", "Delivery from {day2}, [one truck|two trucks].",
          "If you order before {day2}, freight is on us."),
         ("", "We at {co} look forward to your order.", "Certificates come with the goods.")),
    ),
    "order": Piece(
        ("Re", "Purchase order {order}"),
        (("We accept quotation {offer}. Please deliver {qty} {unit}.",
          "Our order {order} is attached.", "Go ahead please, delivery on {day2}, before {hour}."),
         ("The site manager will sign, phone {phone}.", "Unloading at {street} street.", "")),
    ),
    "confirm": Piece(
        ("Re",),
        (("Order received, our reference is {number}.", "Confirmed for {day2}, about {hour}.",
          "Thank you, production starts on {day2}."),
         ("The driver will call an hour before.", "")),
    ),
    "delivery": Piece(
        ("Shipment on {day2}", "Delivery of {good}", "Truck arrives {day2}"),
        (("The truck with {qty} {unit} of {good_gen} arrives on {day2} at {hour}.",
          "Your order {order} leaves us tomorrow.", "Delivery of {good_gen} slips to {day2}, "
          "[the ferry was cancelled|a part is late]."),
         ("Please have a forklift ready.", "CMR and packing list attached.", "")),
    ),
    "complaint": Piece(
        ("Damaged goods, order {order}", "Claim: {good}", "Delivery of {day} incomplete"),
        (("{less} {unit} of {good_gen} delivered on {day} are [damaged|out of tolerance].",
          "We received {less} instead of {qty} {unit}.",
          "The inspector rejected {good_gen}, report {number}."),
         ("Photos attached. Please [replace|comment] by {day2}.",
          "Work has stopped, every day costs us.", "We do not accept {invoice} until then.")),
    ),
    "complaint_answer": Piece(
        ("Re",),
        (("We accept the claim, replacement ships on {day2}. Reference {number}.",
          "Our technician can be with you on {day2} at {hour}.",
          "The parts left us in good order, but we offer {pct}% as goodwill."),
         ("Please keep the packaging.", "")),
    ),
    "investor": Piece(
        ("{code} drawings", "{code} [site meeting|design review] {day2}", "{project}: questions"),
        (("Revision {n} of the drawings is attached. Changes are clouded.",
          "Notes of the design review: [railings|drainage|foundation] to be settled by {day2}.",
          "Can we move the site meeting to {day2}, {hour}?"),
         ("The client asks for a price by {due}.", "Sheet {n} is for construction now.",
          "Please comment by {due}.")),
    ),
    "moved": Piece(
        ("New address", "New job, same me", "Quotation {offer}: {good}"),
        (("Since {day} I work for {co}. [I have left {former_bare}|No more {former_bare} for me].",
          "You will be surprised by the new address: after years at {former_bare} I am with "
          "{short} now.",
          "As I told you on the phone, I write from my new desk."),
         ("For {good_list} I can offer EUR {net}, until {due}.",
          "Our price list is attached, {pct}% discount to start with.",
          "I would gladly visit your site on {day2}.")),
    ),
    "fresh": Piece(
        ("{co}: [delivery tomorrow|urgent question|date {day2}]", "Order {order}, {co}"),
        (("I write on behalf of {co}. Your {qty} {unit} of {good_gen} [can arrive|are ready] on "
          "{day2}.",
          "{co} confirms order {order}: {good_list}, EUR {net}.",
          "This is {them} of {co}. We need your decision about {good_gen}."),
         ("Please answer [today by {hour}|by tomorrow].", "The truck is loaded already.")),
    ),
    "fresh_two": Piece(
        ("{good}: joint delivery of {short} and {other_short}",),
        (("{co} and {other} share a truck: {good_list}, on {day2} at {hour}.",
          "We at {co} ask for your consent that {other} brings {qty} {unit} of {good_gen}."),
         ("One notice will do for both.",)),
    ),
    "forward": Piece(
        ("FW",),
        (("For your information.", "Could you [answer|call] them by {due}?",
          "See below, [this is yours I think|I am away on {day2}].", "What do you think?"),),
    ),
    "thanks": Piece(
        ("Re",),
        (("Thanks, [got it|noted].", "Fine, see you on {day2}.",
          "Received, [all complete|page {n} is missing].", "OK, [go ahead|I pass it on]."),),
    ),
    "private": Piece(
        ("Dinner on Sunday?", "Photos from the trip", "Running on {weekday}", "Summer plans"),
        (("Are you free on Sunday? We start at {hour}.",
          "Here are {n} photos, the rest when we meet.",
          "I found a cottage by the lake, {n} nights. Shall I book?"),
         ("Let me know by {day2}.", "Love to the kids.", "Call me tonight.")),
    ),
    "safety": Piece(
        ("This week in site safety", "Toolbox talk no. {n}", "Early bird tickets until {day2}"),
        (("This week: [working at height|dust masks|near misses], and {n} tips for winter sites.",
          "{short_poss} new safety scheme, and what {n} sites say about it.",
          "Falls are down by {pct}% this year. Read how {n} sites did it.",
          "Our conference takes place on {day2}; tickets are {pct}% off."),
         ("Unsubscribe at any time.", "Forward this to your foreman.")),
    ),
    "backup": Piece(
        ("Backup report {day}", "Your storage is {pct}% full", "Backup of server-{n} finished"),
        (("Backup finished at {hour}: {number} files, no errors.",
          "Your subscription renews on {day2}. Nothing to do for you.",
          "{n} files were in use and will be saved with the next run."),
         ("This is an automatic message, please do not reply.", "")),
    ),
    "about_firm": Piece(
        ("{short_poss} call", "Visit at {short_poss} yard", "{good}: what next?"),
        (("I spoke to {short_poss} people, [they can move the date|they need a deposit].",
          "Back from {short_poss} office: {good} [in stock|up by {pct}%].",
          "{short_poss} site manager will be here on {day2} at {hour}."),
         ("Somebody has to answer by {due}.", "Who comes along?", "")),
    ),
    "drift": Piece(
        ("{other_short}: {good}", "{other}"),
        (("Same thread, another matter: {other} asks about our plans for {month}.",
          "Leave that for now. Where do we stand with {other}?"),
         ("They wait for a word by {due}.", "")),
    ),
    "drift_answer": Piece(
        ("Re",),
        (("Ask {other} to come on {day2}.", "Fine. {other_short} will have to wait until {due}."),),
    ),
    "cold_offer": Piece(
        ("Save {pct}% on formwork", "Quick question", "Offer for new customers"),
        (("We already work for [{short}|{co}] and {other_short}. Can we help you too?",
          "Are you looking for a supplier? {pct}% off until {day2}."),
         ("May I call on {day2}?", "")),
    ),
    "spam": Piece(
        ("You have been selected", "Cheap {pct}% watches", "Invoice overdue!! open now"),
        (("Claim your prize {number} within 24 hours.",
          "We offer loans up to EUR {net} without questions.",
          "Your parcel {number} is held, pay EUR 1.99 to release it."),
         ("Act now!", "Offer ends on {day2}.")),
    ),
}  # fmt: skip
