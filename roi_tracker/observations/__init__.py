"""What happened, at line x shift x product: facts, the calendar they fall into, and the rows made of them."""
